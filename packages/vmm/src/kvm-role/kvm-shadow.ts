// Shadow page tables: the hardware walks one set of tables, KVM's, and every #PF of the guest comes here first. The shadow
// MMU judges it (shadow-paging/); here its judgement becomes what KVM does next.
// Linux, arch/x86/kvm/mmu/mmu.c: kvm_handle_page_fault, kvm_mmu_page_fault, kvm_mmu_load.

import {bit, gpa, hex, hpa} from '@hyperscope/base';
import type {Gpa, Hpa} from '@hyperscope/base';
import {featuresOf} from '@hyperscope/machine';
import {TABLE_POOL, TABLE_POOL_END} from '../host/host-layout.js';
import type {StepResult} from '../host/host-program.js';
import type {
  Backing,
  GuestAccess,
  ShadowHardware,
  ShadowHost,
  ShadowMmu,
  ShadowVerdict,
} from '../shadow-paging/ports.js';
import {createShadowMmu} from '../shadow-paging/shadow-mmu.js';
import type {GuestMmu, GuestMmuKind} from './guest-mmu.js';
import {CR0_PE, EFER_LMA, injectException} from './guest-registers.js';
import type {Host} from './host-context.js';
import {cannotEmulate, cannotFetch} from './kvm-emulation-failure.js';

const PF = 14;
const ERROR_WRITE = 1;
const ERROR_USER = 2;
const ERROR_FETCH = 4;
const AC = 18;

export class ShadowGuestMmu implements GuestMmu {
  readonly kind = 'shadow';
  readonly shadow: ShadowMmu;
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
    const {profile} = host.machine;
    const features = featuresOf(profile);
    this.shadow = createShadowMmu({
      host: shadowHost(host),
      hardware: () => this.#hardware(),
      features: {
        physicalAddressBits: profile.physicalAddressBits,
        gigabytePages: features.gigabytePages,
        pse36: features.pse36,
      },
      pool: {start: hpa(TABLE_POOL), end: hpa(TABLE_POOL_END)},
      leafTables: host.options.leafTables,
      faults: host.options.faults,
    });
  }

  /** The guest's LMA is the processor's too, and outside long mode KVM uses PAE paging, whatever the guest uses. */
  #hardware(): ShadowHardware {
    const long = (this.#host.hardware.get('EFER') & EFER_LMA) !== 0n;
    return {format: long ? '4-level' : 'PAE', noExecute: 'on', views: 1};
  }

  create(): undefined {
    // Which root is needed depends on the guest's registers: `reload` asks before each entry.
    return undefined;
  }

  reload(): string | undefined {
    const {hardware, vcpu} = this.#host;
    const root = this.shadow.root('kernel');
    if (vcpu.get('shadow_root') === BigInt(root)) return undefined;
    vcpu.set('shadow_root', BigInt(root));
    hardware.loadMmuRoot(root);
    return `kvm_mmu_load: the real CR3 is to be the shadow root at HPA ${hex(root)}, while the guest’s own is ${hex(hardware.get('CR3'))}`;
  }

  guestLoadedCr3(): string {
    this.shadow.guestLoadedCr3();
    return 'the guest’s value is kept aside, and the shadow of its tables is found or made for the next entry';
  }
  guestChangedMode(): void {
    this.shadow.guestChangedMode();
  }
  guestInvalidated(linear: bigint): string {
    this.shadow.guestInvalidated(linear);
    return 'the shadow entry of the page is dropped or synchronized';
  }
  guestWrote(address: number, bytes: number): void {
    this.shadow.guestWrote(gpa(address), bytes);
  }
}

function shadowHost(host: Host): ShadowHost {
  const {memory} = host.machine;
  const {hardware} = host;
  return {
    paging: () => ({
      cr0: hardware.get('CR0'),
      cr3: hardware.get('CR3'),
      cr4: hardware.get('CR4'),
      efer: hardware.get('EFER'),
      pdptes: (['PDPTE0', 'PDPTE1', 'PDPTE2', 'PDPTE3'] as const).map(cell => hardware.get(cell)),
    }),
    backing: (address: Gpa): Backing => {
      const slot = host.slotAt(address);
      if (slot === undefined) return {kind: 'device'};
      const at = hpa(slot.host + address - slot.gpa);
      return {kind: slot.access === 'read-write' ? 'ram' : 'read-only', host: at};
    },
    read: (at: Hpa, bytes) => memory.read(at, bytes),
    write: (at: Hpa, bytes, value) => memory.write(at, bytes, value),
    flushTlb: linear => hardware.flushTlb(linear),
    tell: event => host.tell(event),
  };
}

/** What the guest did, from the error code. In real mode a guest runs at CPL 3, though it knows of no rings. */
function accessOf(host: Host, linear: bigint, errorCode: number): GuestAccess {
  const code = BigInt(errorCode);
  const isProtected = (host.hardware.get('CR0') & CR0_PE) !== 0n;
  const byUser = bit(code, ERROR_USER) && isProtected;
  const explicit = byUser || host.hardware.get('CPL') < 3n;
  return {
    linear,
    kind: bit(code, ERROR_FETCH) ? 'fetch' : bit(code, ERROR_WRITE) ? 'write' : 'read',
    privilege: byUser ? 'user' : 'supervisor',
    ac: explicit && bit(host.hardware.get('RFLAGS'), AC),
  };
}

function handlePageFault(host: Host): StepResult {
  const {linear, errorCode} = host.hardware.pageFault();
  const {mmu} = host;
  if (!(mmu instanceof ShadowGuestMmu)) return cannotEmulate(host, 'a #PF left the guest although paging is nested');
  const access = accessOf(host, linear, errorCode);
  const verdict = mmu.shadow.fault(access);
  const what = `${access.kind} at ${hex(linear)} by the ${access.privilege}`;
  if (verdict.kind === 'device' && access.kind === 'fetch')
    return cannotFetch(host, `a ${what}: GPA ${hex(verdict.gpa)}`);
  return answer(host, what, linear, verdict);
}

function answer(host: Host, what: string, linear: bigint, verdict: ShadowVerdict): StepResult {
  switch (verdict.kind) {
    case 'hidden':
      host.handled(
        'kvm',
        'a hidden page fault: the guest’s own tables allow the access, only the shadow did not have it',
      );
      return {
        say: `${what}: the guest’s tables lead to GPA ${hex(verdict.gpa)} and allow it; QEMU has that at ${host.hvaText(verdict.gpa)}; the shadow is mended, the access will be repeated`,
        go: 'vcpu_enter_guest',
      };
    case 'true':
      host.handled('kvm', 'a true page fault: the guest’s own tables refuse the access, so #PF is injected');
      host.vcpu.set('cr2', linear);
      injectException(host, PF, verdict.errorCode);
      return {
        say: `${what}: the guest’s own tables refuse it; CR2 ← ${hex(linear)}, #PF with error code ${hex(verdict.errorCode)} for the guest`,
        go: 'vcpu_enter_guest',
      };
    case 'device':
      return {
        say: `${what}: GPA ${hex(verdict.gpa)} can be no entry of the shadow (a device, or a ROM): the instruction has to be carried out in software`,
        go: 'x86_emulate_instruction',
      };
    case 'page-table-write':
      return {
        say: `${what}: a write to the guest’s own page table at GPA ${hex(verdict.gpa)}, which is write-protected: the instruction has to be carried out in software, and the shadow follows`,
        go: 'x86_emulate_instruction',
      };
    case 'tracked-write':
      return cannotEmulate(host, 'with hardware virtualization no code of the guest is translated');
    case 'hypervisor-window':
      return cannotEmulate(host, 'a shadow for hardware virtualization has no hypervisor in it');
    case 'no-memory':
      host.finish({
        kind: 'error',
        message: `The pool for shadow page tables (${(TABLE_POOL_END - TABLE_POOL) / 2 ** 20} MiB) is full, and emptying it did not help: give the guest fewer page tables.`,
      });
      return {say: 'no page left for shadow page tables', go: 'vcpu_enter_guest'};
  }
}

export const SHADOW_MMU: GuestMmuKind = {
  kind: 'shadow',
  routines: [{name: 'kvm_handle_page_fault', actor: 'hypervisor', steps: [handlePageFault]}],
  create: host => new ShadowGuestMmu(host),
};
