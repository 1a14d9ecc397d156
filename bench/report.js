/** Formats the figures as tables for people. */

const NS_IN = { ns: 1, µs: 1e3, ms: 1e6 };
/** With fewer samples per turn, the p99 is only the slowest sample. */
const SAMPLES_FOR_P99 = 100;

/** @typedef {{ title: string, unit: keyof typeof NS_IN, results: import('./rounds.js').Result[] }} Part */

/** @param {Part} part */
export function table({ title, unit, results }) {
  const rounds = results[0].rounds.length;
  const rows = results.map(({ name, p50, p99, ratio, aim, counts, rounds: [turn] }) => [
    name,
    figure(p50 / NS_IN[unit]),
    turn.samples < SAMPLES_FOR_P99 ? '' : figure(p99 / NS_IN[unit]),
    ratio ? `${ratio.median.toFixed(2)}` : '',
    ratio ? `${ratio.min.toFixed(2)}–${ratio.max.toFixed(2)}` : '',
    verdict({ ratio, aim }),
    Object.entries(counts ?? {})
      .map(([what, count]) => `${figure(count)} ${what}`)
      .join(', '),
  ]);
  const head = [`${unit}, ${rounds} rounds`, 'median', 'p99', '× floor', 'by round', 'aim', ''];
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column].length)));
  const lines = [head, ...rows].map((row) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join('  '),
  );
  return [title, ...lines].map((line) => line.trimEnd()).join('\n');
}

/** @param {Pick<import('./rounds.js').Result, 'ratio' | 'aim'>} result */
function verdict({ ratio, aim }) {
  if (!ratio || aim === undefined) return '';
  return `≤ ${aim} ${ratio.median <= aim ? '✔' : '✘'}`;
}

function figure(/** @type {number} */ value) {
  return value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : Math.round(value).toLocaleString('en');
}
