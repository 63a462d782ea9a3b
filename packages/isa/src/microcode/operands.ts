// What each operation of a recording is made from: the arrows of its graph.

import type {Operation} from './operation.js';

/** The numbers of the operations whose values an operation uses; a condition comes first. */
export function operandsOf(operation: Operation): readonly number[] {
  switch (operation.op) {
    case 'load':
    case 'probe':
      return [operation.offset];
    case 'store':
      return [operation.value, operation.offset];
    case 'binary':
    case 'lanes':
      return [operation.a, operation.b];
    case 'unary':
      return [operation.a];
    case 'concat':
      return [operation.high, operation.low];
    case 'choose':
      return [operation.condition, operation.a, operation.b];
    case 'call':
    case 'invoke':
    case 'intercept':
      return operation.args;
    case 'setRegister':
    case 'setVector':
      return [operation.value];
    case 'setFlags':
      return [operation.a, operation.b, operation.result];
    case 'setFlag':
      return operation.when === undefined ? [operation.value] : [operation.when, operation.value];
    case 'writeFlags':
      return [operation.image, operation.mask];
    case 'faultIf':
    case 'finishIf':
    case 'repeatIf':
      return [operation.when];
    case 'checkTarget':
    case 'jump':
      return operation.when === undefined ? [operation.target] : [operation.when, operation.target];
    default:
      return [];
  }
}
