// Addresses can be followed: whoever shows one sends this, and the inspector opens memory there.

/** Address spaces as the screen names them. */
export type AddressSpace = 'GVA' | 'GPA' | 'HVA' | 'HPA';

/** Asks to be shown what lies at an address. */
export class FollowEvent extends CustomEvent<{readonly space: AddressSpace; readonly address: bigint}> {
  constructor(space: AddressSpace, address: bigint) {
    super('hs-follow', {detail: {space, address}, bubbles: true, composed: true});
  }
}
