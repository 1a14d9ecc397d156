/** What is given up where grants are switched off, as whoever does it has to write it. */
export const NO_GRANTS = 'every-workflow-may-use-every-workspace';
