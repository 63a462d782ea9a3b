// A whole run in this thread, which blocks: for command lines, tests, and the child process that serves a server.

import {performance} from 'node:perf_hooks';
import type {Clock} from '@hyperscope/base';
import type {GuestImage, PortOptions} from '@hyperscope/vmm';
import {fingerprint} from './fingerprint.js';
import {KvmSession} from './kvm-session.js';
import type {KvmLimits, KvmOutcome, KvmStep} from './kvm-session.js';
import type {SingleStep, SteppingQuirks} from './single-step.js';

/** The guest's state as a recorder follows it: the banks are current whenever an observer is called. */
export interface KvmView {
  /** 'registers' (isa's cells as 64-bit words) and 'memory' (guest-physical, from 0); the same arrays for the whole run. */
  readonly banks: readonly {readonly name: 'registers' | 'memory'; readonly bytes: Uint8Array}[];
  /** The bank 'registers' by cell. */
  readonly registers: BigUint64Array;
}

/** Told of each step when the banks hold the state after it. */
export interface KvmObserver {
  /** State 0: before the first step. */
  begin?(view: KvmView): void;
  /** Before a step: a recorder opens it. */
  beforeStep?(): void;
  willWrite?(bank: string, offset: number, length: number): void;
  /** After a step whose exit reached user space. */
  exit?(step: KvmStep, view: KvmView): void;
  /** After a single step. */
  step?(step: KvmStep, view: KvmView): void;
}

export interface RunOnKvmOptions {
  readonly image: GuestImage;
  readonly ports: PortOptions;
  readonly limits: KvmLimits;
  readonly singleStep?: SingleStep;
  readonly insideKvm?: 'told' | 'hidden';
  /** The host's probes, if they are known; otherwise they are made when single-stepping needs them. */
  readonly quirks?: SteppingQuirks;
  readonly clock?: Clock;
  /** Bytes that wait at the first serial port. */
  readonly serialInput?: Uint8Array;
  readonly observer?: KvmObserver;
}

export interface KvmRunResult {
  readonly outcome: KvmOutcome;
  /** KVM_EXIT reasons to user space, counted; single steps are not among them. */
  readonly exits: Readonly<Record<string, number>>;
  readonly steps: number;
  readonly serial: Uint8Array;
  readonly captured: ReadonlyMap<number, Uint8Array>;
  readonly unknownPorts: ReadonlyMap<number, number>;
  /** What the statistics fd says of exits that KVM handled itself. */
  readonly statistics: Readonly<Record<string, number>>;
  /** isa's cells at the end. */
  readonly registers: BigUint64Array;
  readonly seconds: number;
}

/** @throws UserError when there is no KVM, or it refuses the image. What the guest does is in `outcome`. */
export function runOnKvm(options: RunOnKvmOptions): KvmRunResult {
  const clock = options.clock ?? performance;
  const singleStep = options.singleStep ?? 'off';
  const quirks = options.quirks ?? quirksFor(singleStep);
  const session = new KvmSession({...options, singleStep, quirks, clock});
  if (options.serialInput !== undefined) session.board.uart.receive(options.serialInput);
  const started = clock.now();
  try {
    const exits = drive(session, options.observer);
    return runResult(session, options.ports.capturePorts, exits, (clock.now() - started) / 1000);
  } finally {
    session.close();
  }
}

/** What a session that is over leaves behind. */
export function runResult(
  session: KvmSession,
  capturePorts: readonly number[],
  exits: Readonly<Record<string, number>>,
  seconds: number,
): KvmRunResult {
  return {
    outcome: session.outcome ?? {kind: 'cancelled'},
    exits,
    steps: session.steps,
    serial: session.board.uart.output.slice(),
    captured: new Map(capturePorts.map(port => [port, session.board.captured(port).slice()])),
    unknownPorts: new Map(session.board.unknownPorts),
    statistics: session.statistics(),
    registers: session.registers,
    seconds,
  };
}

/** The host's quirks where they matter: without single-stepping nothing is asked. */
export function quirksFor(singleStep: SingleStep): SteppingQuirks {
  return {cpl3_step: singleStep === 'off' ? undefined : fingerprint().probes['cpl3_step']};
}

function drive(session: KvmSession, observer: KvmObserver | undefined): Record<string, number> {
  const exits: Record<string, number> = {};
  const listener =
    observer?.willWrite === undefined
      ? undefined
      : {willWrite: (bank: string, offset: number, length: number) => observer.willWrite?.(bank, offset, length)};
  observer?.begin?.(session);
  while (session.outcome === undefined) {
    observer?.beforeStep?.();
    const step = session.step(listener);
    if (step.kind === 'kvm-step') {
      observer?.step?.(step, session);
    } else {
      exits[step.exit.reason] = (exits[step.exit.reason] ?? 0) + 1;
      observer?.exit?.(step, session);
    }
  }
  return exits;
}
