/** `workspace-providers/testing`: for the tests of workflows and activities, without Postgres and without services. */
export type { FailureType } from './protocol/failure-types.js';
export type { ServiceCall, TestService } from './testing/service-calls.js';
export {
  type ModelQuestion,
  type RpcQuestion,
  type SimulationAnswer,
  type SimulationQuestion,
  type StandInAnswers,
  type StandInCall,
  type StandInFailure,
  type StandInQuestions,
  type StandInService,
  type StandInServiceName,
  type StandInServiceOptions,
  startStandInService,
} from './testing/stand-in-services.js';
export {
  type TestProvider,
  TestProviders,
  type TestProvidersOptions,
  type TestWorkspaces,
  testProviders,
} from './testing/test-providers.js';
export type { WorkflowFunctions } from './testing/workflow-functions.js';
