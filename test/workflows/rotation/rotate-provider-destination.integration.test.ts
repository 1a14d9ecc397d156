/** A staged credential goes nowhere but where it was sealed for, through the whole workflow. */
import { expect, onTestFinished, test } from 'vitest';
import { ROTATE_PROVIDER, rotationWorkflowId } from '../../../src/protocol/rotation.js';
import { startModelsService } from '../../management/models-service.js';
import { newWorkspace } from '../../support/agent-stage.js';
import { withSession } from '../../support/database.js';
import { useRotationStage } from '../../support/rotation-stage.js';

const stage = useRotationStage();

test.each(['an editor replaces address and secret', 'a service of the workspace changes the address by SQL'])(
  'if %s after a rotation was staged, the rotation ends and says why, and no key reaches their host [G11]',
  async (how) => {
    const { provider, apiKey: first } = await stage.addAnthropic(newWorkspace());
    const next = stage.admittedKey(provider.workspaceId);
    const attacker = await startModelsService(first, next);
    onTestFinished(() => attacker.stop());
    const config = { baseURL: attacker.baseURL };
    const rotationId = await stage.manager.stageRotation({ ...provider, secret: { apiKey: next } });
    if (how.startsWith('an editor'))
      await stage.manager.updateProvider({ ...provider, config, secret: { apiKey: stage.newKey('junk') } });
    else
      await withSession(stage.database.tenantUrl, async (session) => {
        await session.query(`select set_config('app.workspace_id', $1, false)`, [provider.workspaceId]);
        await session.query('update workspace_providers set config = config || $1', [config]);
      });
    // As if no worker had run rotations until now.
    const running = stage.operator.workflow.execute(ROTATE_PROVIDER, {
      workflowId: rotationWorkflowId(provider),
      taskQueue: stage.taskQueue,
      args: [{ provider, rotationId }],
    });
    const why = 'the provider was changed since it was staged at version 1';
    await expect(running).rejects.toMatchObject({
      cause: { cause: { type: 'RotationFailed', message: expect.stringContaining(why) } },
    });
    expect(await stage.rotationRows(provider.workspaceId)).toEqual([
      { state: 'failed', ended: true, sealed: 0, reason: expect.stringContaining(why) },
    ]);
    const asked = attacker.callsWith(first) + attacker.callsWith(next);
    expect(asked).toBe(0);
  },
);
