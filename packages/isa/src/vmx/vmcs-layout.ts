// Where the fields lie in a VMCS of this project's processors. The manual leaves that to the processor, and software must not
// rely on it; a reader of memory (the inspector) must know it all the same.

import {assertExists} from '@hyperscope/base';
import {VMCS_FIELDS} from './vmcs-fields.js';
import type {VmcsFieldName} from './vmcs-fields.js';

/** The first field's offset: one slot of eight bytes for each field, in the order of the list. */
const FIELDS = 64;

const BY_NAME: ReadonlyMap<string, number> = new Map(
  VMCS_FIELDS.map((field, index) => [field.name, FIELDS + 8 * index]),
);

/** Bytes from the start of the VMCS. */
export function vmcsSlot(name: VmcsFieldName): number {
  return assertExists(BY_NAME.get(name), name);
}
