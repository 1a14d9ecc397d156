// The Grafana dashboard of docs/observability, from the table of metrics: a panel per metric, in rows by subject.

/** @param {Record<string, import('../dist/telemetry/metrics-table.js').Metric>} metrics @param {(name: never) => string} nameOf */
export function dashboardOf(metrics, nameOf) {
  const panels = [];
  let y = 0;
  for (const [subject, names] of bySubject(Object.keys(metrics))) {
    panels.push({ id: panels.length + 1, type: 'row', title: subject, gridPos: { x: 0, y, w: 24, h: 1 }, panels: [] });
    y += 1;
    names.forEach((name, index) => {
      const gridPos = { x: (index % 3) * 8, y: y + Math.floor(index / 3) * 8, w: 8, h: 8 };
      panels.push({
        id: panels.length + 1,
        gridPos,
        ...panelOf(metrics[name], nameOf(/** @type {never} */ (name)), name),
      });
    });
    y += Math.ceil(names.length / 3) * 8;
  }
  const dashboard = {
    uid: 'workspace-providers',
    title: 'Workspace providers',
    tags: ['workspace-providers'],
    schemaVersion: 39,
    refresh: '30s',
    time: { from: 'now-6h', to: 'now' },
    templating: { list: [{ name: 'datasource', type: 'datasource', query: 'prometheus', label: 'Data source' }] },
    panels,
  };
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}

/** @param {readonly string[]} names @returns {Map<string, string[]>} by the second part of the name */
function bySubject(names) {
  const subjects = new Map();
  for (const name of names) {
    const [scope, second] = name.split('.');
    const subject = scope === 'gen_ai' ? 'models' : second;
    subjects.set(subject, [...(subjects.get(subject) ?? []), name]);
  }
  return subjects;
}

/** @param {import('../dist/telemetry/metrics-table.js').Metric} metric @param {string} series @param {string} name */
function panelOf({ kind, unit, attributes, meaning }, series, name) {
  const by = attributes.filter((each) => each !== 'workspace').map((each) => each.replaceAll('.', '_'));
  return {
    type: 'timeseries',
    title: name.replace('workspace_providers.', ''),
    description: meaning,
    datasource: { type: 'prometheus', uid: '$datasource' },
    fieldConfig: { defaults: { unit: unit === 's' ? 's' : 'short', min: 0 }, overrides: [] },
    targets: queriesOf(kind, series, by).map(([expr, legendFormat], index) => ({
      refId: String.fromCharCode(65 + index),
      expr,
      legendFormat,
    })),
  };
}

/** @param {string} kind @param {string} series @param {readonly string[]} by @returns {readonly (readonly [string, string])[]} */
function queriesOf(kind, series, by) {
  const legend = by.map((label) => `{{${label}}}`).join(' ') || 'all';
  if (kind === 'read gauge') return [[series, `{{instance}} ${by.map((label) => `{{${label}}}`).join(' ')}`.trim()]];
  if (kind !== 'histogram') return [[`sum by (${by.join(', ')}) (rate(${series}[$__rate_interval]))`, legend]];
  return [0.5, 0.99].map((quantile) => [
    `histogram_quantile(${quantile}, sum by (le) (rate(${series}_bucket[$__rate_interval])))`,
    `p${quantile * 100}`,
  ]);
}
