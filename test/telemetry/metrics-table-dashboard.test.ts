/** The dashboard and the alert rules ask only for metrics and labels that exist. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { METRIC_NAMES, metricOf } from '../../src/telemetry/metrics-table.js';
import { prometheusName } from '../../src/telemetry/prometheus.js';

const text = (name: string) => readFileSync(new URL(`../../docs/observability/${name}`, import.meta.url), 'utf8');

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly annotations?: { readonly summary?: string; readonly description?: string };
}

const rules = (parse(text('alerts.yml')) as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules);
const { panels } = JSON.parse(text('dashboard.json')) as {
  panels: { title: string; targets?: { expr: string }[] }[];
};
const shown = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));

const LABELS = new Map(
  METRIC_NAMES.map((name) => [
    prometheusName(name),
    new Set(metricOf(name).attributes.map((each) => each.replaceAll('.', '_'))),
  ]),
);
/** Labels of Prometheus itself. */
const GIVEN = ['le', 'instance'];

/** What an expression asks for and does not exist. */
function unknownIn(expr: string): string[] {
  const series = [...expr.matchAll(/\b(?:workspace_providers|gen_ai)_\w+/g)].map(([name]) => name);
  const histograms = METRIC_NAMES.filter((name) => metricOf(name).kind === 'histogram').map(prometheusName);
  const metrics = series
    .filter((name) => !GEN_AI_LABELS.has(name))
    .map(
      (name) =>
        histograms.find((each) => name === `${each}_${name.slice(each.length + 1)}` && SUFFIX.test(name)) ?? name,
    );
  const labels = [
    ...[...expr.matchAll(/by \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(',').map((each) => each.trim())),
    ...[...expr.matchAll(/[{,]\s*(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label),
  ].filter((label) => label !== '' && !GIVEN.includes(label));
  const known = new Set(metrics.flatMap((name) => [...(LABELS.get(name) ?? [])]));
  return [
    ...metrics.filter((name) => !LABELS.has(name)),
    ...labels.filter((label) => !known.has(label)),
    ...(metrics.length === 0 ? ['no metric'] : []),
  ];
}

const SUFFIX = /_(bucket|sum|count)$/;
const GEN_AI_LABELS = new Set([...LABELS.values()].flatMap((labels) => [...labels]));

test('the search finds a metric, a suffix and labels that do not exist', () => {
  expect(unknownIn('rate(workspace_providers_fence_lags_bucket[5m])')).toEqual([
    'workspace_providers_fence_lags_bucket',
  ]);
  expect(unknownIn('workspace_providers_lease_held_count')).toEqual(['workspace_providers_lease_held_count']);
  expect(unknownIn('sum by (provider) (workspace_providers_checks_total{result="ok"})')).toEqual([
    'provider',
    'result',
  ]);
  expect(unknownIn('sum by (type) (workspace_providers_checks_total{outcome="ok"})')).toEqual([]);
});

describe('an alert', () => {
  test.each(rules.map(({ alert, ...rule }) => [alert, rule] as const))(
    '%s asks for what exists, and says what to do',
    (_, { expr, annotations }) => {
      expect(unknownIn(expr)).toEqual([]);
      expect(annotations?.summary).toBeTruthy();
      expect(annotations?.description).toBeTruthy();
    },
  );
});

test('the dashboard shows every metric, and asks for nothing that does not exist', () => {
  expect(shown.flatMap(unknownIn)).toEqual([]);
  const missing = METRIC_NAMES.map(prometheusName).filter((name) => !shown.some((expr) => expr.includes(name)));
  expect(missing).toEqual([]);
});
