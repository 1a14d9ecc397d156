import { proxyActivities } from '@temporalio/workflow';
import { resolveLlmKey } from 'workspace-providers/workflow';
import type { RatesService } from './rates';

const { countModels } = proxyActivities<Pick<RatesService, 'countModels'>>({ startToCloseTimeout: '1 minute' });

export const models = async (): Promise<number> => countModels(await resolveLlmKey({ provider: 'anthropic' }));
