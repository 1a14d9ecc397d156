#!/usr/bin/env node
/** The ready worker process: the same program as `workspace-providers worker --json`. */
import { runCli } from './cli/program.js';

// Exits explicitly: after an error, the SDK's threads may keep a process running that polls nothing.
void runCli(['worker', '--json']).then((exitCode) => process.exit(exitCode));
