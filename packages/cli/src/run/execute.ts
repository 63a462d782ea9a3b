// Runs a program on any technique, simulated or real, and gives one kind of answer.

import {
  SHIPPED,
  SimulationHost,
  findGuest,
  requireFit,
  requireImageFit,
  requireTechnique,
  runToResult,
} from '@hyperscope/simulation';
import type {RunRequest, RunResult} from '@hyperscope/simulation';
import type {KvmDepth} from '@hyperscope/kvm';
import type {RunRecord} from '@hyperscope/trace';
import type {Clock} from '@hyperscope/base';
import {executeOnKvm} from './execute-on-kvm.js';
import {usage} from '../terminal/arguments.js';
import type {Program} from './program.js';

export interface Execution {
  readonly program: Program;
  /** 'kvm', or the id of a simulated technique. */
  readonly technique: string;
  readonly ports: NonNullable<RunRequest['ports']>;
  /** Profile with features, as `--cpu` gives it. Only simulated processors have one. */
  readonly profile: string | undefined;
  /** Cost model with changes, as `--cost-model` and `--cost` give it. */
  readonly costModel?: string | undefined;
  /** Up to two hard disks, whole sectors, where the technique has a controller. */
  readonly disks?: readonly Uint8Array[] | undefined;
  /** Which writes to video memory KVM only notes down; the technique's own choice where absent. Only simulated techniques. */
  readonly coalescedMmio?: RunRequest['coalescedMmio'];
  /** Which rings a deprivileged guest runs in; by its mode where absent. */
  readonly rings?: RunRequest['rings'];
  /** What was set of that which `--switch list` shows. Only simulated techniques. */
  readonly switches?: RunRequest['switches'];
  /** How virtual machines share the processor, where there can be several. */
  readonly sharing?: RunRequest['sharing'];
  /** Guest instructions; on KVM, exits. */
  readonly maxInstructions: number | undefined;
  readonly timeoutMilliseconds: number | undefined;
  readonly serialScript: NonNullable<RunRequest['serialScript']>;
  readonly stopSerial: RegExp | undefined;
  readonly dumps: readonly {readonly address: number; readonly length: number}[];
  readonly recording: 'on' | 'off';
  /** On KVM: a step an exit, or an instruction where it can single-step. */
  readonly depth: KvmDepth;
  /** Told in words what the run could not do as asked. */
  readonly onNote?: (note: string) => void;
  readonly clock: Clock;
  /** Told now and then how many instructions (or exits) were executed, and what the guest printed since. */
  readonly onProgress: (done: number, printed: Uint8Array) => void;
}

/** The JSON of the contract. Real KVM does not tell how many instructions or cycles were the guest's: null. */
export type ExecutionResult = Omit<RunResult, 'cycles' | 'engine' | 'instructions'> & {
  readonly engine: RunResult['engine'] | 'qemu';
  readonly instructions: number | null;
  readonly cycles: number | null;
};

export interface Executed {
  readonly result: ExecutionResult;
  /** When a recording was asked for, and there was a run. */
  readonly record: RunRecord | undefined;
  readonly captured: ReadonlyMap<number, Uint8Array>;
}

/** @throws UserError for a technique or a profile that does not exist. KVM's trouble is an outcome. */
export function execute(execution: Execution): Executed {
  const guest = findGuest(execution.program.id);
  if (guest !== undefined) requireFit(guest, {id: execution.technique});
  requireImageFit(execution.program.loaded.image, execution.program.title, {id: execution.technique});
  if (execution.technique === 'kvm') return executeOnKvm(execution);
  const techniques = new SimulationHost(SHIPPED).techniques().map(({id}) => id);
  if (!techniques.includes(execution.technique))
    throw usage(`There is no technique ${execution.technique}. Choose one of: ${[...techniques, 'kvm'].join(', ')}.`);
  const {program, dumps, ...rest} = execution;
  return runToResult({
    ...rest,
    profile: rest.profile ?? program.processor,
    technique: requireTechnique(execution.technique),
    image: program.loaded,
    guest: program,
    dumpMemory: dumps,
  });
}
