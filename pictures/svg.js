/** What the drawn pictures share: the colours of GitHub's pages, light and dark, one colour per process. */

const LIGHT = { back: '#ffffff', text: '#1f2328', small: '#59636e', line: '#d1d9e0' };
const DARK = { back: '#0d1117', text: '#f0f6fc', small: '#9198a1', line: '#3d444d' };
const PROCESSES = {
  demo: ['#818b98', '#9198a1'],
  'agents-1': ['#0969da', '#4493f8'],
  'agents-2': ['#bc4c00', '#db6d28'],
  operations: ['#1a7f37', '#3fb950'],
};

export const WIDTH = 960;

/** @param parts - the elements, from the back to the front */
export function picture({ title, description, height, parts }) {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="t d">
  <title id="t">${escaped(title)}</title>
  <desc id="d">${escaped(description)}</desc>
  <style>
    text { font: 13px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
    .name { font-weight: 600; font-size: 15px; }
    .code { font: 12px ui-monospace, "SF Mono", "DejaVu Sans Mono", monospace; }
    .end { text-anchor: end; }
    ${colours(LIGHT, 0)}
    @media (prefers-color-scheme: dark) {
    ${colours(DARK, 1)}
    }
  </style>
  <rect class="back" width="${WIDTH}" height="${height}" rx="8"/>
  ${parts.join('\n  ')}
</svg>
`;
}

function colours({ back, text, small, line }, mode) {
  return [
    `.back { fill: ${back}; } text { fill: ${text}; } .small { fill: ${small}; } .line { stroke: ${line}; fill: none; }`,
    ...Object.entries(PROCESSES).map(([name, of]) => `.${name} { fill: ${of[mode]}; }`),
  ].join('\n    ');
}

export function text(x, y, content, classes = '') {
  return `<text x="${x}" y="${y}"${classes && ` class="${classes}"`}>${escaped(content)}</text>`;
}

export function bar(x, y, width, height, process) {
  return `<rect class="${process}" x="${x.toFixed(1)}" y="${y}" width="${Math.max(width, 2).toFixed(1)}" height="${height}" rx="2"/>`;
}

export function line(x1, y1, x2, y2) {
  return `<path class="line" d="M${x1} ${y1}L${x2} ${y2}"/>`;
}

/** Which colour is which process, in one row. */
export function legend(y) {
  return Object.keys(PROCESSES).flatMap((name, index) => {
    const x = 560 + index * 100;
    return [bar(x, y - 10, 10, 10, name), text(x + 16, y, name, 'small')];
  });
}

export function duration(ms) {
  if (ms >= 1_000) return `${(ms / 1_000).toFixed(1)} s`;
  return ms >= 10 ? `${Math.round(ms)} ms` : `${ms.toFixed(1)} ms`;
}

function escaped(content) {
  return String(content).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
