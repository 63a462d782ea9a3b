// Runs only the privilege checks of an instruction, in protected mode, for given CPL, IOPL and CR4. Everything that the
// running guest would decide is unknown; a check counts as failing only where it fails whatever the unknown is.

import {knownBinary, knownUnary} from '../microcode/known-values.js';
import type {ExceptionName, Microcode, Operation} from '../microcode/microcode.js';

const PRIVILEGE_EXCEPTIONS: ReadonlySet<ExceptionName> = new Set<ExceptionName>(['#GP', '#UD']);

export interface PrivilegeSettings {
  readonly cpl: bigint;
  readonly iopl: bigint;
  /** CR4.UMIP; undefined where it may be either. */
  readonly umip: bigint | undefined;
  /** CR4 apart from UMIP: what the system has enabled; undefined where that may be anything. */
  readonly cr4: bigint | undefined;
}

export class Evaluator {
  readonly #operations: readonly Operation[];
  readonly #settings: PrivilegeSettings;

  constructor(microcode: Microcode, settings: PrivilegeSettings) {
    this.#operations = microcode.operations;
    this.#settings = settings;
  }

  /** Whether the instruction certainly traps: #GP for most; #UD for those that exist only in ring 0 (STAC, MONITOR). */
  faults(): boolean {
    return this.#operations.some(operation => {
      if (operation.op === 'faultIf')
        return PRIVILEGE_EXCEPTIONS.has(operation.exception) && this.value(operation.when) === 1n;
      // The one check that is a helper: CPL above IOPL, and no permission in the TSS.
      if (operation.op === 'invoke' && operation.helper.name === 'checkPortPermission')
        return this.#settings.cpl > this.#settings.iopl;
      return false;
    });
  }

  /** The value of an operation, where it is known. */
  value(id: number): bigint | undefined {
    const operation = this.#operations[id];
    switch (operation?.op) {
      case 'constant':
        return operation.value;
      case 'state':
        return this.#state(operation.state);
      case 'unary':
        return knownUnary(operation, this.value(operation.a));
      case 'binary':
        return knownBinary(operation, this.value(operation.a), this.value(operation.b));
      case 'choose': {
        const condition = this.value(operation.condition);
        return condition === undefined ? undefined : this.value(condition === 0n ? operation.b : operation.a);
      }
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
}
