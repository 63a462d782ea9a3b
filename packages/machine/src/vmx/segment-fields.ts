// The VMCS fields of the segment and table registers, by register. Names that are put together at run time are slow to
// look up, and every VM entry and exit looks up all of them.

import {recordOf} from '@hyperscope/base';
import {DESCRIPTOR_REGISTERS, cellIndex} from '@hyperscope/isa';
import type {DescriptorRegister} from '@hyperscope/isa';

const segmentFields = <R extends DescriptorRegister>(name: R) =>
  ({
    selector: `GUEST_${name}_SELECTOR`,
    base: `GUEST_${name}_BASE`,
    limit: `GUEST_${name}_LIMIT`,
    rights: `GUEST_${name}_ACCESS_RIGHTS`,
  }) as const;

/** In the guest-state area. */
export const SEGMENT_FIELDS = recordOf(DESCRIPTOR_REGISTERS, segmentFields);

const TABLES = ['GDTR', 'IDTR'] as const;

/** GDTR and IDTR: the fields of the guest-state area, the host's base, and their cells. */
export const TABLE_FIELDS = TABLES.map(
  name =>
    ({
      guestBase: `GUEST_${name}_BASE`,
      guestLimit: `GUEST_${name}_LIMIT`,
      hostBase: `HOST_${name}_BASE`,
      base: cellIndex(`${name}.base`),
      limit: cellIndex(`${name}.limit`),
    }) as const,
);
