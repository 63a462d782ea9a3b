// The addon as TypeScript sees it. Structures are passed as the kernel lays them out, in typed arrays of the exact
// size (`layout` tells); failures are Errors with {code: 'EINVAL', errno: 22, syscall: 'KVM_SET_SREGS'}.

/** What KVM_RUN came back with. 0: an exit, described by kvm_run. 1: kicked. 2: deadline. 3: some other signal; run again. */
export type RunResult = 0 | 1 | 2 | 3;

/** A typed array over ordinary (not shared) memory. */
export type Packed = Uint8Array | Uint32Array | BigUint64Array;

/** What every failed system call throws. */
export interface NativeError extends Error {
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;
}

/** /dev/kvm. */
export interface Kvm {
  apiVersion(): number;
  /** 0: absent. Above: present, sometimes with a meaning. */
  checkExtension(capability: number): number;
  /** Bytes of the area that a vCPU shares with the kernel. */
  vcpuMmapSize(): number;
  /** kvm_cpuid_entry2 after another, ten words each. */
  supportedCpuid(): Uint32Array;
  msrIndexList(): Uint32Array;
  createVm(type?: number): Vm;
  close(): void;
}

/** A range of MSRs for the filter. A 1 in `bitmap` (whole 64-bit words) allows the accesses in `flags`: 1 reads, 2 writes. */
export interface MsrRange {
  readonly flags: number;
  readonly base: number;
  readonly count: number;
  readonly bitmap: Uint8Array;
}

export interface Vm {
  checkExtension(capability: number): number;
  enableCap(capability: number, argument: number): void;
  setTssAddr(address: number): void;
  setIdentityMapAddr(address: number): void;
  createIrqchip(): void;
  /** An 8254 whose channel 0 is IRQ 0 of the irqchip, which must be there. Flag 1: port 61h, the speaker's, as well. */
  createPit2(flags: 0 | 1): void;
  irqLine(irq: number, level: 0 | 1): void;
  /** Zeroed memory that guests can be given; detached (byteLength 0) when the Vm is closed. */
  allocate(bytes: number): ArrayBuffer;
  /** Gives the guest `bytes` bytes of `memory` from `offset`; bytes 0 deletes the slot. `memory` must come from allocate(). */
  setUserMemoryRegion(
    slot: number,
    flags: number,
    guestPhysicalAddress: number,
    bytes: number,
    memory?: ArrayBuffer,
    offset?: number,
  ): void;
  /** One bit a page written since the last call, for a slot with KVM_MEM_LOG_DIRTY_PAGES; whole 64-bit words. */
  getDirtyLog(slot: number, pages: number, bitmap: Packed): void;
  /** Which MSR accesses the guest may make: `flags` 0 allows what no range covers, 1 denies it. */
  setMsrFilter(flags: 0 | 1, ranges: readonly MsrRange[]): void;
  /** Writes to this stretch are kept in the ring of every vCPU's mapping, without an exit. */
  registerCoalescedMmio(space: 'mmio' | 'pio', address: number, bytes: number): void;
  unregisterCoalescedMmio(space: 'mmio' | 'pio', address: number, bytes: number): void;
  /** Writes of `bytes` bytes here (of this value, where one is given) only count up an eventfd. Returns a number for the next two. */
  assignIoeventfd(space: 'mmio' | 'pio', address: number, bytes: number, value?: number): number;
  /** How many such writes there were since the last call. */
  readIoeventfd(ioeventfd: number): number;
  deassignIoeventfd(ioeventfd: number): void;
  createVcpu(id: number): Vcpu;
  /** The binary statistics file, whole. */
  stats(): Uint8Array;
  /** Ends and closes its vCPUs, closes, detaches and frees memory. */
  close(): void;
}

export interface Vcpu {
  /** For kick(). */
  readonly id: number;
  /** struct kvm_run and the pages behind it, live. */
  readonly kvmRun: ArrayBuffer;
  getRegs(target: Packed): void;
  setRegs(source: Packed): void;
  getSregs(target: Packed): void;
  setSregs(source: Packed): void;
  /** As the two above, with the PDPTEs (KVM_CAP_SREGS2). */
  getSregs2(target: Packed): void;
  setSregs2(source: Packed): void;
  getDebugregs(target: Packed): void;
  setDebugregs(source: Packed): void;
  /** KVM_MP_STATE_*: 0 runnable, 3 halted. */
  getMpState(): number;
  setMpState(state: number): void;
  getXcrs(target: Packed): void;
  setXcrs(source: Packed): void;
  getXsave(target: Packed): void;
  setXsave(source: Packed): void;
  getVcpuEvents(target: Packed): void;
  setVcpuEvents(source: Packed): void;
  setGuestDebug(source: Packed): void;
  /** struct kvm_translation, in and out. */
  translate(translation: Packed): void;
  interrupt(vector: number): void;
  nmi(): void;
  /** Pairs (index, value), filled in place. Returns how many were read: KVM stops at the first that it does not know. */
  getMsrs(pairs: BigUint64Array): number;
  setMsrs(pairs: BigUint64Array): number;
  getCpuid2(): Uint32Array;
  setCpuid2(entries: Uint32Array): void;
  getTscKhz(): number;
  stats(): Uint8Array;
  /** KVM_RUN on this thread, which blocks: for worker threads and child processes. The deadline holds whatever the guest does. */
  run(deadlineMilliseconds: number): RunResult;
  /** KVM_RUN on the vCPU's own thread. Meanwhile its other methods throw EBUSY. */
  runAsync(deadlineMilliseconds: number): Promise<RunResult>;
  /** Runs on over OUT exits (of one element), keeping each as eight words: port, width, data, 0, RIP (2), RAX (2). Needs KVM_SYNC_X86_REGS for the last two. */
  runBatch(ring: Uint32Array, deadlineMilliseconds: number): {readonly result: RunResult; readonly count: number};
  /** Finishes the I/O of the last exit without executing anything. 3: finished. 0: finishing it led to a new exit. */
  complete(): RunResult;
  close(): void;
}

/** Tracepoints of the kernel for the calling thread, through perf_event_open. */
export interface Tracepoints {
  enable(): void;
  disable(): void;
  /** Records since the last call, as perf lays them out (perf_event_open(2), "PERF_RECORD_SAMPLE": time, then the raw event). */
  read(): Uint8Array;
  close(): void;
}

export interface Native {
  /** `ids` are the numbers in …/events/kvm/NAME/id of tracefs. */
  readonly Tracepoints: new (ids: Uint32Array) => Tracepoints;
  readonly Kvm: new (path?: string) => Kvm;
  /** Ends the run of a vCPU from any thread; if none is in progress, the next one. False: no such vCPU. */
  kick(id: number): boolean;
  /** Sizes ('kvm_regs') and offsets ('kvm_run.exit_reason') as the C++ compiler sees them. */
  readonly layout: Readonly<Record<string, number>>;
}

/** The addon, or undefined where it is not built or does not load. */
export declare const native: Native | undefined;
/** Why `native` is undefined: a code and a sentence that says what to do. */
export declare const reason: {readonly code: string; readonly message: string} | undefined;
