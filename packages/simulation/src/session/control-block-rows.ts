// The rows of a control structure in the inspector, VMCS or VMCB: the fields that hold something or that the last step changed.

import type {Moment} from '@hyperscope/trace';

/** How one kind of control structure is read and told. */
export interface ControlBlock<F> {
  readonly areaTitle: (field: F) => string;
  readonly read: (field: F) => bigint;
  /** The value one step earlier; undefined where there was no such structure. */
  readonly readBefore: (field: F) => bigint | undefined;
  /** Names of fields that are worth a line even when they are zero. */
  readonly always: ReadonlySet<string>;
  readonly valueText: (field: F, value: bigint) => string;
  readonly meaningText: (field: F, value: bigint) => string;
}

/** A row for each field worth one, in the order of `fields`. */
export function controlBlockRows<F extends {readonly name: string}>(
  fields: readonly F[],
  block: ControlBlock<F>,
): Moment['vmcs'] {
  return fields.flatMap(field => {
    const value = block.read(field);
    const was = block.readBefore(field);
    const changed = was !== undefined && was !== value;
    if (value === 0n && !changed && !block.always.has(field.name)) return [];
    return [
      {
        area: block.areaTitle(field),
        name: field.name,
        value: block.valueText(field, value),
        changed,
        was: changed ? block.valueText(field, was) : undefined,
        meaning: block.meaningText(field, value),
      },
    ];
  });
}
