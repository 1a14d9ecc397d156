import type { Command } from 'commander';
import type { RotationSummary } from '../../store/rotation-store.js';
import { withClient } from '../connections.js';
import { line, minute, type Output, table } from '../terminal/output.js';

export function addRotations(program: Command, output: Output): void {
  program
    .command('rotations [workspace]')
    .summary('list rotations, the newest first: state, requester and reason')
    .description('Lists the last 50 rotations of one workspace, or of all, the newest first.')
    .action(async (workspaceId?: string) => {
      const rotations = await withClient((client) => client.listRotations(workspaceId));
      const none = line('unsure', 'empty', [workspaceId && `of ${workspaceId}`, 'nothing was rotated']);
      const lines = rotations.length > 0 ? table(rotations.map(toRow)) : [none];
      output.result({ ...(workspaceId !== undefined && { workspaceId }), rotations }, lines);
    });
}

function toRow({ provider, state, endedAt, rolledBack, ...rotation }: RotationSummary): string[] {
  const { fromVersion, toVersion, createdAt, requestedBy, reason = '' } = rotation;
  return [
    provider.workspaceId,
    `${provider.type}/${provider.name}`,
    `${state}${endedAt ? '' : ', running'}${rolledBack && state !== 'rolled-back' ? ', rolling back' : ''}`,
    `version ${[fromVersion, toVersion].filter((version) => version !== undefined).join(' → ')}`,
    minute(createdAt),
    requestedBy,
    reason,
  ];
}
