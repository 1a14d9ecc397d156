#!/usr/bin/env node
/** The `workspace-providers` command. */
import { runCli } from './program.js';

// Exits explicitly: after an error of `worker`, the SDK's threads may keep the process alive.
void runCli(process.argv.slice(2)).then((exitCode) => process.exit(exitCode));
