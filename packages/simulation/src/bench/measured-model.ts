// A cost model of the machine that somebody measured: the latest published one, with those figures changed that an exit is made
// of, until two operations cost in the simulation what they cost there. Fitted by running them, and checked by running them again.

import {UserError} from '@hyperscope/base';
import {GENERATIONS} from './generations.js';
import {measure} from './nanobenchmark.js';

/** What was measured on a machine, in cycles of its time-stamp counter. */
export interface MeasuredMachine {
  /** `kvm_intel on Linux 6.1` */
  readonly name: string;
  /** CPUID in a guest, which KVM answers. */
  readonly cpuid: number;
  /** IN from a port that KVM asks user space about. */
  readonly portRead: number;
  /** A hypervisor below the one that was measured. */
  readonly outerHypervisor: boolean;
}

export interface MeasuredModel {
  /** As `--cost-model` takes it: 'sandy-bridge-2011,vm-exit=…'. */
  readonly costModel: string;
  readonly machine: MeasuredMachine;
  /** What the two operations cost in the simulation with it. */
  readonly fitted: Pick<MeasuredMachine, 'cpuid' | 'portRead'>;
}

const BASE = GENERATIONS.at(-1)?.costModel ?? '';

/**
 * The round trip is what CPUID costs beside KVM's work on it; where the whole is less than that work by the published model,
 * the round trip stays published and the work is made cheaper. What a port costs more is user space.
 */
export function measuredModel(machine: MeasuredMachine): MeasuredModel {
  const software = cycles('nano-cpuid', `${BASE},vm-exit=0,vm-entry=0`);
  const exit = machine.cpuid > software ? roundTrip(machine.cpuid - software) : cheaperSteps(machine.cpuid);
  const model = `${BASE},${exit}`;
  const user = perFigure('nano-in', model, 'user-step');
  const userStep = Math.max(0, Math.round((machine.portRead - user.without) / user.each));
  const costModel = `${model},user-step=${userStep}`;
  return {
    costModel,
    machine,
    fitted: {cpuid: cycles('nano-cpuid', costModel), portRead: cycles('nano-in', costModel)},
  };
}

/** Half for the exit and half for the entry: nobody measured them apart. */
function roundTrip(whole: number): string {
  const exit = Math.round(whole / 2);
  return `vm-exit=${exit},exception-exit=${exit},vm-entry=${Math.round(whole) - exit}`;
}

function cheaperSteps(whole: number): string {
  const {without, each} = perFigure('nano-cpuid', BASE, 'host-step');
  return `host-step=${Math.max(0, Math.round((whole - without) / each))}`;
}

/** How often an operation is charged a figure, found by changing it; and what it costs without. */
function perFigure(guest: string, model: string, figure: string): {readonly without: number; readonly each: number} {
  const without = cycles(guest, `${model},${figure}=0`);
  return {without, each: (cycles(guest, `${model},${figure}=100`) - without) / 100};
}

const cycles = (guest: string, costModel: string): number =>
  measure(guest, {technique: 'vtx-ept', profile: 'westmere', costModel}).cycles;

/**
 * Reads what `hyperscope measure --json` wrote.
 * @throws UserError 'bad-measurements' where it is something else, or lacks one of the two operations.
 */
export function readMeasurements(text: string): MeasuredMachine {
  const parsed = parse(text);
  const {operations, host} = parsed;
  const median = (id: string): number => {
    const found = operations.find(each => each.id === id)?.cycles;
    if (typeof found !== 'number' || !(found > 0))
      throw new UserError(
        'bad-measurements',
        `The file has no figure for ${id}. Measure again: hyperscope measure --json FILE.`,
      );
    return found;
  };
  return {
    name: `${String(host['flavour'])} on Linux ${String(host['kernel'])}`,
    cpuid: median('cpuid'),
    portRead: median('pio-read-user'),
    outerHypervisor: parsed.outerHypervisor,
  };
}

interface Parsed {
  readonly operations: readonly {readonly id?: unknown; readonly cycles?: unknown}[];
  readonly host: Readonly<Record<string, unknown>>;
  readonly outerHypervisor: boolean;
}

function parse(text: string): Parsed {
  const value = jsonOf(text);
  const {operations, host, outerHypervisor} = isObject(value) ? value : {};
  if (!Array.isArray(operations) || !isObject(host))
    throw new UserError(
      'bad-measurements',
      'These are no measurements. Make a file of them with: hyperscope measure --json FILE.',
    );
  return {operations: operations.filter(isObject), host, outerHypervisor: outerHypervisor === true};
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
