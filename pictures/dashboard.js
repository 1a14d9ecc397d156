/**
 * The main panels of the dashboard, for a run of the demo: counts, and the quantiles that Prometheus makes of the same
 * buckets. A run is too short for rates over time, so each value is of the whole run.
 */
import { bar, duration, legend, line, picture, text } from './svg.js';

const ROW = 20;
const COLUMN = 460;

/** @param pages - the page of each worker, by its name */
export function dashboardPicture(pages) {
  const workers = Object.entries(pages).map(([process, page]) => ({ process, samples: samplesOf(page) }));
  const panels = [
    ...['resolve', 'open', 'request'].map((work) => quantiles(workers, `workspace_providers_${work}_duration_seconds`)),
    counts(workers, 'workspace_providers_cache_reads_total'),
    sums(workers, 'workspace_providers_rotation_stage_duration_seconds', 'stage'),
    sums(workers, 'workspace_providers_fence_lag_seconds', 'outcome'),
    counts(workers, 'workspace_providers_fence_workers_total'),
    counts(workers, 'workspace_providers_lease_renewals_total'),
  ];
  const bottoms = [56, 56];
  const drawn = panels.flatMap((panel) => {
    const column = bottoms[0] <= bottoms[1] ? 0 : 1;
    const top = bottoms[column];
    bottoms[column] += 40 + panel.rows.length * ROW;
    return panelParts(panel, 20 + column * COLUMN, top);
  });
  return picture({
    title: 'Panels of the dashboard for a run of the demo',
    description:
      'Durations of resolve, open, requests and stages; reads of the cache; the lag of the fence; the lease.',
    height: Math.max(...bottoms),
    parts: [text(20, 30, 'The same run in metrics, by worker', 'name'), ...legend(30), ...drawn],
  });
}

function panelParts({ title, rows }, x, top) {
  const most = Math.max(...rows.map(({ value }) => value));
  return [
    line(x, top, x + COLUMN - 40, top),
    text(x, top + 20, title, 'small'),
    ...rows.flatMap(({ label, value, shown, process }, index) => {
      const y = top + 28 + index * ROW;
      const width = (value / most) * 170;
      return [
        text(x, y + 13, label, 'code'),
        bar(x + 185, y + 3, width, 12, process),
        text((x + 191 + width).toFixed(1), y + 13, shown, 'small code'),
      ];
    }),
  ];
}

function quantiles(workers, name) {
  const rows = workers.flatMap(({ process, samples }) => {
    const buckets = bucketsOf(samples.filter((sample) => sample.name === `${name}_bucket`));
    if (buckets.length === 0) return [];
    return [0.5, 0.99].map((quantile) => {
      const ms = 1_000 * histogramQuantile(quantile, buckets);
      return { label: `p${quantile * 100}`, value: ms, shown: duration(ms), process };
    });
  });
  return { title: name, rows };
}

/** The buckets of all series together, as `sum by (le)`. */
function bucketsOf(samples) {
  const counted = new Map();
  for (const { labels, value } of samples) counted.set(labels.le, (counted.get(labels.le) ?? 0) + value);
  return [...counted]
    .map(([le, count]) => ({ upper: le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le), count }))
    .sort((a, b) => a.upper - b.upper);
}

/** As `histogram_quantile` of Prometheus: within a bucket, values are taken as evenly spread. */
function histogramQuantile(quantile, buckets) {
  const rank = quantile * buckets.at(-1).count;
  const at = buckets.findIndex(({ count }) => count >= rank);
  const { upper, count } = buckets[at];
  const below = buckets[at - 1] ?? { upper: 0, count: 0 };
  if (upper === Number.POSITIVE_INFINITY) return below.upper;
  return below.upper + ((upper - below.upper) * (rank - below.count)) / (count - below.count);
}

function counts(workers, name) {
  const rows = workers.flatMap(({ process, samples }) =>
    samples
      .filter((sample) => sample.name === name && sample.value > 0)
      .map(({ value, labels }) => ({ label: labels.outcome, value, shown: value, process })),
  );
  return { title: name, rows };
}

function sums(workers, name, label) {
  const rows = workers.flatMap(({ process, samples }) =>
    samples
      .filter((sample) => sample.name === `${name}_sum`)
      .map(({ value, labels }) => ({
        ...{ label: labels[label], value, process },
        shown: duration(1_000 * value),
      })),
  );
  return { title: `${name}, sum by ${label}`, rows };
}

/** The samples of a page. No label of ours has a quote in it. */
function samplesOf(page) {
  return Array.from(page.matchAll(/^(\w+)(?:\{(.*)\})? (\S+)$/gm), ([, name, labels = '', value]) => ({
    name,
    labels: Object.fromEntries(Array.from(labels.matchAll(/(\w+)="([^"]*)"/g), ([, key, of]) => [key, of])),
    value: Number(value),
  }));
}
