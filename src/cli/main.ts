#!/usr/bin/env node
/** The `workspace-providers` command. */
import { hardenProcess } from '../config/process-hardening.js';
import { runCli } from './program.js';

hardenProcess();
// Not left to Node: after a fault of `worker` the SDK's threads may keep the process alive.
process.exit(await runCli(process.argv.slice(2)));
