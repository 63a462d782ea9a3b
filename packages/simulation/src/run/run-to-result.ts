// Runs an image until it stops, a limit is reached or its text is complete, and says how it went. The caller brings the
// clock: the simulator itself knows only cycles.

import type {Clock} from '@hyperscope/base';
import {UserError, assertUnreachable, hpa, hexBytes} from '@hyperscope/base';
import {ShadowView} from '@hyperscope/vmm';
import type {RunRecord, Switches} from '@hyperscope/trace';
import type {PortOptions, RunOutcome, Technique, TechniqueOptions, TechniqueRun} from '@hyperscope/vmm';
import {requireImageFit} from '../guest-needs.js';
import type {LoadedImage} from '../images/image-options.js';
import {outcomeSentence} from '../session/outcome.js';
import {RunDriver} from '../session/run-driver.js';
import {NO_PORTS} from '../session/session.js';
import {sha256} from '../session/sha256.js';
import {settle} from '../switches/switches.js';
import {cellsOf, finalState, memoryOf} from './final-state.js';
import type {Dump} from './final-state.js';
import {lastInstruction} from './last-instruction.js';
import {postMortem} from './post-mortem.js';
import {MachineConsoles} from './machine-consoles.js';
import {RunCounters} from './run-counters.js';
import type {MachineResult, ResultOutcome, RunResult} from './run-result.js';
import type {SerialCommand} from './serial-script.js';
import {SerialWatch} from './serial-watch.js';

export interface RunRequest {
  readonly technique: Technique;
  readonly image: LoadedImage;
  /** Named in the record's header. */
  readonly guest: {readonly id: string; readonly title: string; readonly bytes: Uint8Array};
  readonly clock: Clock;
  readonly ports?: PortOptions | undefined;
  readonly profile?: string | undefined;
  readonly costModel?: string | undefined;
  /** Up to two hard disks, whole sectors, where the technique has a controller; the guest writes to them. */
  readonly disks?: readonly Uint8Array[] | undefined;
  /** Which writes to video memory KVM only notes down; the technique's own choice where absent. */
  readonly coalescedMmio?: TechniqueOptions['coalescedMmio'];
  /** Which rings a deprivileged guest runs in; by its mode where absent. */
  readonly rings?: TechniqueOptions['rings'];
  /** How virtual machines share the processor, where there can be several. */
  readonly sharing?: TechniqueOptions['sharing'];
  /** What was set of that which `offersFor` gives. */
  readonly switches?: Switches | undefined;
  /** Guest instructions. */
  readonly maxInstructions?: number | undefined;
  readonly timeoutMilliseconds?: number | undefined;
  readonly serialScript?: readonly SerialCommand[] | undefined;
  readonly stopSerial?: RegExp | undefined;
  readonly dumpMemory?: readonly Dump[] | undefined;
  /** Keep a record of every step? It costs memory and time. */
  readonly recording?: 'on' | 'off' | undefined;
  /** Called after each slice with the guest instructions so far, and what the guest printed since the last call. */
  readonly onProgress?: ((instructions: number, printed: Uint8Array) => void) | undefined;
}

export interface FinishedRun {
  readonly result: RunResult;
  readonly record: RunRecord | undefined;
  /** Everything the guest sent to its first serial port. */
  readonly serial: Uint8Array;
  /** Bytes that the guest wrote to each captured port. */
  readonly captured: ReadonlyMap<number, Uint8Array>;
}

/** Steps between looks at the clock; what the guest prints is looked at when somebody waits for it. */
const SLICE = 4096;
/** Instructions that are run in one go take about as long as one step takes for this many of them. */
const AHEAD_IN_A_STEP = 64;

type Stop = {readonly outcome: ResultOutcome; readonly message: string; readonly debugExit: number | null};

/**
 * Runs to the end.
 * @throws UserError of the technique (an unknown profile), or 'impossible-start' where no processor starts in the state
 * that the image's registers describe.
 */
export function runToResult(request: RunRequest): FinishedRun {
  const {technique, image, clock} = request;
  requireImageFit(image.image, request.guest.title, technique);
  const started = clock.now();
  const run = technique.start({
    image: image.image,
    ports: request.ports ?? NO_PORTS,
    profile: request.profile,
    costModel: request.costModel,
    disks: request.disks,
    coalescedMmio: request.coalescedMmio,
    rings: request.rings,
    ...settle({technique}, request.switches ?? {}, request.profile),
    sharing: request.sharing,
  });
  const loop = new RunLoop(request, run);
  const stop = loop.untilStopped(started);
  const state = finalState(run, image.image, request.dumpMemory ?? []);
  const {counters} = loop;
  return {
    record: loop.driver?.record,
    serial: run.serialOutput(),
    captured: new Map((request.ports ?? NO_PORTS).capturePorts.map(port => [port, run.captured(port)])),
    result: {
      schema: 1,
      engine: 'simulated',
      technique: technique.id,
      outcome: stop.outcome,
      debugExit: stop.debugExit,
      instructions: loop.instructions,
      cycles: Number(run.machine.registers.get('CYCLES')),
      seconds: (clock.now() - started) / 1000,
      exits: Object.fromEntries(counters.exits),
      ...shadowPagingOf(run),
      ...(counters.translation === undefined ? {} : {translation: counters.translation.statistics}),
      ...machinesOf(run),
      exceptions: Object.fromEntries(counters.exceptions),
      registers: state.registers,
      memory: state.memory,
      ports: Object.fromEntries(counters.ports),
      unknownPorts: Object.fromEntries(
        [...run.unknownPorts()].map(([port, times]) => [`0x${port.toString(16)}`, times]),
      ),
      unsupported: counters.unsupported,
      message: stop.message,
    },
  };
}

/** What the shadow MMU counted in its own memory. */
function shadowPagingOf(run: TechniqueRun): Pick<RunResult, 'shadowPaging'> {
  const {memory} = run.machine;
  if (run.shadowPool === undefined) return {};
  return {shadowPaging: new ShadowView(run.shadowPool, (at, bytes) => memory.read(hpa(at), bytes)).statistics()};
}

/** Each of several virtual machines, with what it printed and what it was charged for. */
function machinesOf(run: TechniqueRun): Pick<RunResult, 'virtualMachines'> {
  const machines = run.virtualMachines;
  if (machines === undefined) return {};
  const accounts = machines.map(machine => machine.account());
  const total = accounts.reduce((sum, account) => sum + account.virtualCycles + account.hypervisorCycles, 0);
  return {
    virtualMachines: machines.map((machine, index): MachineResult => {
      const account = accounts[index] ?? machine.account();
      const {outcome} = machine;
      return {
        name: machine.name,
        outcome: outcome === undefined ? 'waits' : outcome.kind,
        message: outcome === undefined ? 'It did not come to an end.' : outcomeSentence(outcome),
        serial: new TextDecoder().decode(machine.serialOutput()),
        share: total === 0 ? 0 : (account.virtualCycles + account.hypervisorCycles) / total,
        ...account,
      };
    }),
  };
}

class RunLoop {
  readonly driver: RunDriver | undefined;
  readonly counters: RunCounters;
  #instructions = 0;
  readonly #run: TechniqueRun;
  readonly #request: RunRequest;
  readonly #serial: SerialWatch;
  readonly #consoles: MachineConsoles;
  #printed = 0;

  constructor(request: RunRequest, run: TechniqueRun) {
    this.#request = request;
    this.#run = run;
    this.#consoles = new MachineConsoles(run);
    this.#serial = new SerialWatch(request.stopSerial, request.serialScript ?? []);
    const {guest, image, technique} = request;
    this.driver =
      request.recording !== 'on'
        ? undefined
        : new RunDriver(
            run,
            {
              technique: technique.id,
              guest: {
                id: guest.id,
                title: guest.title,
                sha256: sha256(guest.bytes),
                loadAddress: image.loadAddress,
                bytes: guest.bytes.length,
              },
            },
            image.image.memoryBytes,
          );
    this.counters = new RunCounters(technique.id, this.driver?.observer);
    run.observe(this.counters);
  }

  /** Guest instructions that are complete. */
  get instructions(): number {
    return this.#instructions + this.counters.completedByHypervisor;
  }

  untilStopped(started: number): Stop {
    const {
      maxInstructions = Number.POSITIVE_INFINITY,
      timeoutMilliseconds = Number.POSITIVE_INFINITY,
      clock,
    } = this.#request;
    this.#type();
    for (;;) {
      const outcome = this.#slice(maxInstructions);
      const enough = this.#listen(outcome === undefined ? 'lines' : 'the rest');
      if (enough !== undefined) return {outcome: 'stop-serial', debugExit: null, message: enough};
      if (outcome !== undefined) return this.#stopOf(outcome);
      if (this.instructions >= maxInstructions)
        return limit(`The limit of ${counted(maxInstructions, 'guest instruction')} was reached.`);
      if (clock.now() - started >= timeoutMilliseconds)
        return limit(`The limit of ${counted(timeoutMilliseconds / 1000, 'second')} was reached.`);
    }
  }

  #slice(maxInstructions: number): RunOutcome | undefined {
    for (let i = 0; i < SLICE && this.instructions < maxInstructions; i++) {
      if (this.driver === undefined) i += this.#runAhead((SLICE - i) * AHEAD_IN_A_STEP, maxInstructions);
      if (this.instructions >= maxInstructions) break;
      const report = this.driver === undefined ? this.#run.step() : this.driver.advance();
      // A step of no length executed nothing: it found the processor halted, shut down or at a loss.
      const isExecuted = report.kind === 'instruction' && report.length > 0;
      if (isExecuted && report.actor === 'guest-user') this.#instructions++;
      if (isExecuted && report.actor === 'guest-kernel')
        this.#instructions += this.counters.translation?.ran(report.rip) ?? 1;
      if (report.outcome !== undefined) return report.outcome;
      if (this.counters.printed > this.#printed && this.#serial.isListening) return undefined;
    }
    return undefined;
  }

  /** Without a record nobody looks at each instruction. Gives the time that it took, in steps. */
  #runAhead(most: number, maxInstructions: number): number {
    const count = this.#run.runAhead(Math.min(most, maxInstructions - this.instructions));
    this.#instructions += count;
    return Math.floor(count / AHEAD_IN_A_STEP);
  }

  /** Tells the caller what was printed, types the answers, and gives the sentence that ends the run. */
  #listen(upTo: 'lines' | 'the rest'): string | undefined {
    const fresh = this.#consoles.fresh(upTo);
    this.#request.onProgress?.(this.instructions, fresh);
    this.#printed = this.#consoles.printed;
    if (fresh.length === 0 || !this.#serial.isListening) return undefined;
    this.#serial.hear(fresh);
    this.#type();
    return this.#serial.enough();
  }

  #type(): void {
    const target = this.driver ?? this.#run;
    for (const {device, bytes} of this.#serial.replies()) {
      if (device === 'keyboard') target.pressKeys(bytes);
      else target.sendSerial(bytes);
    }
  }

  #stopOf(outcome: RunOutcome): Stop {
    const message = outcomeSentence(outcome);
    switch (outcome.kind) {
      case 'debug-exit':
        return {outcome: 'debug-exit', debugExit: outcome.value, message};
      case 'unsupported': {
        const bytes = hexBytes(outcome.bytes, '');
        if (this.counters.unsupported.length === 0)
          this.counters.unsupported.push({address: `0x${outcome.address.toString(16)}`, bytes, what: outcome.what});
        return {outcome: 'unsupported', debugExit: null, message};
      }
      case 'triple-fault': {
        const {image} = this.#request.image;
        const last = lastInstruction(cellsOf(this.#run), memoryOf(this.#run, image));
        return {outcome: 'triple-fault', debugExit: null, message: postMortem(outcome.chain, last)};
      }
      case 'error':
        return {outcome: 'error', debugExit: null, message: this.#explained(message)};
      case 'halted':
      case 'power-off':
        return {outcome: outcome.kind, debugExit: null, message};
      default:
        return assertUnreachable(outcome);
    }
  }

  /** Names the check that a VM entry failed. UserError: impossible-start, where it was the first of all. */
  #explained(message: string): string {
    const check = this.counters.failedEntryCheck;
    if (check === undefined) return message;
    const values = check.values.map(([name, value]) => `${name} ${value}`).join(', ');
    const why = `this does not hold: ${check.rule}${values === '' ? '' : ` (${values})`}, ${check.source}`;
    if (this.instructions > 0) return `${message} What decided: ${why}.`;
    throw new UserError('impossible-start', `No processor starts in this state: ${why}. Change what --set says.`);
  }
}

const limit = (message: string): Stop => ({outcome: 'limit', debugExit: null, message});

const counted = (count: number, unit: string): string => `${count} ${unit}${count === 1 ? '' : 's'}`;
