/** A rotation as Markdown for the Temporal UI: its state, and a table of the workers. */
import type { FenceReport, Holder, RotationStatus } from '../../protocol/rotation.js';

/** With more rows the details would be too large for Temporal to keep. */
const SHOWN_WORKERS = 100;

/** The UI draws a table's columns without a gap, and drops a plain space at the end of a cell. */
const GAP = '\u2003';

export function describeRotation(status: RotationStatus): string {
  const { provider, state, fromVersion, toVersion, rollingBack, check, drain, revocation, overlapUntil, reason } =
    status;
  const versions = toVersion === undefined ? `version ${fromVersion ?? '?'}` : `version ${fromVersion} → ${toVersion}`;
  const lines = [
    `**${provider.type}/${provider.name} of ${provider.workspaceId}** · ${state}${rollingBack ? ', rolling back' : ''} · ${versions}`,
    check && `checked: ${check.detail} (${check.tookMs} ms)`,
    status.fence && fenceTable(status.fence),
    drain &&
      (drain.drained ? `drained after ${drain.tookMs} ms` : `still held: ${drain.holders.map(holder).join(', ')}`),
    overlapUntil && `both credentials are kept until ${overlapUntil}`,
    revocation && `${revocation.outcome === 'revoked' ? 'revoked' : 'to do by hand'}: ${revocation.detail}`,
    reason && `reason: ${reason}`,
  ];
  return lines.filter(Boolean).join('\n\n');
}

function fenceTable({ epoch, tookMs, workers }: FenceReport): string {
  const rows = workers
    .slice(0, SHOWN_WORKERS)
    .map(
      ({ identity, outcome, afterMs }) =>
        `| ${identity}${GAP} | ${outcome}${GAP} | ${outcome === 'waiting' ? '' : `${afterMs} ms`} |`,
    );
  const more = workers.length - rows.length;
  return [
    epoch > 0 ? `fenced at epoch ${epoch} after ${tookMs} ms` : 'waiting until no worker serves the older version',
    '',
    '| worker | answer | after |',
    '| --- | --- | --- |',
    ...rows,
    ...(more > 0 ? [`| and ${more} more | | |`] : []),
  ].join('\n');
}

function holder({ identity, held }: Holder): string {
  const versions = held.map(({ version, count, longestMs }) => {
    return `version ${version} in ${count} ${count === 1 ? 'step' : 'steps'} for ${Math.round(longestMs / 1_000)} s`;
  });
  return `${identity} (${versions.join(', ') || 'does not answer'})`;
}
