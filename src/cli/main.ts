#!/usr/bin/env node
/** The `workspace-providers` command. */
import { runCli } from './program.js';

process.exitCode = await runCli(process.argv.slice(2));
