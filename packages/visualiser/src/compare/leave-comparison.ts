// The comparison is left: for the lab as it was, or for one of its machines at a state.

export class LeaveComparisonEvent extends CustomEvent<{
  readonly technique: string | undefined;
  readonly step: number | undefined;
}> {
  constructor(technique?: string, step?: number) {
    super('hs-leave-comparison', {detail: {technique, step}, bubbles: true, composed: true});
  }
}
