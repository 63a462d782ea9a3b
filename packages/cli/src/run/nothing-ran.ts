// The result of a run that did not begin: every field of the contract, with nothing in it.

import type {ExecutionResult} from './execute.js';

export const NOTHING_RAN = {
  schema: 1,
  debugExit: null,
  instructions: null,
  cycles: null,
  seconds: 0,
  exits: {},
  exceptions: {},
  registers: {},
  memory: {},
  ports: {},
  unknownPorts: {},
  unsupported: [],
} as const satisfies Partial<ExecutionResult>;
