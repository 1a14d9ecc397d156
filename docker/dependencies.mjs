// Rewrites package.json so that `npm ci --omit=dev` installs what the worker process needs: the dependencies, and of the
// optional peers only Temporal's SDK.
import { readFileSync, writeFileSync } from 'node:fs';

const SDK = ['activity', 'client', 'common', 'envconfig', 'worker', 'workflow'].map((name) => `@temporalio/${name}`);

const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
// npm counts a peer that is a dev dependency too only as dev.
delete manifest.devDependencies;
delete manifest.peerDependenciesMeta;
manifest.peerDependencies = Object.fromEntries(SDK.map((name) => [name, manifest.peerDependencies[name]]));
writeFileSync('package.json', JSON.stringify(manifest));
