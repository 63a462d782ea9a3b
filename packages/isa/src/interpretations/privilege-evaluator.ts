// Runs only the privilege checks of an instruction, in protected mode, for given CPL, IOPL and CR4. Everything that the
// running guest would decide is unknown; a check counts as failing only where it fails whatever the unknown is.

import type {Microcode, Operation} from '../microcode/microcode.js';

export interface PrivilegeSettings {
  readonly cpl: bigint;
  readonly iopl: bigint;
  /** CR4.UMIP. */
  readonly umip: bigint;
  /** CR4 apart from UMIP. */
  readonly cr4: bigint;
}

export class Evaluator {
  readonly #operations: readonly Operation[];
  readonly #settings: PrivilegeSettings;

  constructor(microcode: Microcode, settings: PrivilegeSettings) {
    this.#operations = microcode.operations;
    this.#settings = settings;
  }

  /** Whether the instruction certainly gives #GP. */
  faults(): boolean {
    return this.#operations.some(operation => {
      if (operation.op === 'faultIf') return operation.exception === '#GP' && this.#value(operation.when) === 1n;
      // The one check that is a helper: CPL above IOPL, and no permission in the TSS.
      if (operation.op === 'invoke' && operation.helper.name === 'checkPortPermission')
        return this.#settings.cpl > this.#settings.iopl;
      return false;
    });
  }

  /** The value of an operation, where it is known. */
  #value(id: number): bigint | undefined {
    const operation = this.#operations[id];
    switch (operation?.op) {
      case 'constant':
        return operation.value;
      case 'state':
        return this.#state(operation.state);
      case 'unary':
        return this.#unary(operation);
      case 'binary':
        return this.#binary(operation);
      default:
        return undefined;
    }
  }

  #state(name: string): bigint | undefined {
    switch (name) {
      case 'CPL':
        return this.#settings.cpl;
      case 'IOPL':
        return this.#settings.iopl;
      case 'UMIP':
        return this.#settings.umip;
      case 'CR4':
        return this.#settings.cr4;
      case 'PE':
        return 1n;
      case 'VM':
        return 0n;
      default:
        return undefined;
    }
  }

  #unary(operation: Operation & {op: 'unary'}): bigint | undefined {
    const a = this.#value(operation.a);
    if (a === undefined) return undefined;
    switch (operation.operation) {
      case 'not':
        return BigInt.asUintN(operation.width, ~a);
      case 'zext':
      case 'trunc':
        return BigInt.asUintN(operation.width, a);
      default:
        return undefined;
    }
  }

  #binary(operation: Operation & {op: 'binary'}): bigint | undefined {
    const [a, b] = [this.#value(operation.a), this.#value(operation.b)];
    if (operation.operation === 'and' && (a === 0n || b === 0n)) return 0n;
    if (operation.operation === 'or' && operation.width === 1 && (a === 1n || b === 1n)) return 1n;
    if (a === undefined || b === undefined) return undefined;
    switch (operation.operation) {
      case 'and':
        return a & b;
      case 'or':
        return a | b;
      case 'shr':
        return a >> b;
      case 'eq':
        return a === b ? 1n : 0n;
      case 'ne':
        return a === b ? 0n : 1n;
      case 'gtu':
        return a > b ? 1n : 0n;
      case 'ltu':
        return a < b ? 1n : 0n;
      default:
        return undefined;
    }
  }
}
