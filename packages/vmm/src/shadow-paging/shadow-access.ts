// With which rights a page is mapped in the shadow: the guest's rights, less what has still to be learnt (Dirty), changed where
// the hardware's CR0.WP = 1 has to stand in for the guest's 0. Linux, Documentation/virt/kvm/x86/mmu.rst, "cr0.wp handling".

import {NO_FAULTS} from '../deliberate-faults.js';
import type {DeliberateFaults} from '../deliberate-faults.js';
import {ACC_EXEC, ACC_USER, ACC_WRITE} from './shadow-role.js';
import type {ModeRole} from './shadow-role.js';
import type {GuestAccess, ShadowHardware} from './ports.js';

/** What a mapping is made for: an access of the guest, or the resynchronization of an entry. */
export type Occasion = Pick<GuestAccess, 'kind' | 'privilege'> | 'resync';

/**
 * The rights of the shadow's last entry, before a page table that may lie in the page is protected.
 *
 *   guest CR0.WP = 0, page not writable    after a read by a user           after a write by the kernel
 *   single view                            user, read-only                  kernel only, writable, XD with SMEP
 *   kernel view                            writable for the kernel in any case: nobody else uses this view
 */
export function shadowAccess(guest: number, dirty: boolean, mode: ModeRole, occasion: Occasion): number {
  let access = guest;
  const flips =
    mode.view === 'single' &&
    !mode.writeProtect &&
    (guest & ACC_WRITE) === 0 &&
    occasion !== 'resync' &&
    occasion.kind === 'write' &&
    occasion.privilege === 'supervisor';
  if (flips) access = (access | ACC_WRITE) & ~ACC_USER;
  if (mode.view === 'kernel' && !mode.writeProtect) access |= ACC_WRITE;
  const userPage = (guest & ACC_USER) !== 0;
  if (mode.smep && userPage && (flips || mode.view === 'kernel')) access &= ~ACC_EXEC;
  return dirty ? access : access & ~ACC_WRITE;
}

/** The same by a shadow MMU that may leave out, on purpose, to learn Dirty or to keep users out. */
export function faultyAccess(
  guest: number,
  dirty: boolean,
  mode: ModeRole,
  occasion: Occasion,
  faults: DeliberateFaults = NO_FAULTS,
): number {
  const access = shadowAccess(guest, dirty || faults.has('no-dirty-tracking'), mode, occasion);
  return faults.has('no-user-bit') ? access | ACC_USER : access;
}

/**
 * Whether a write of the kernel to a user's read-only page (CR0.WP = 0) has to be carried out in software: an entry that allows it
 * would be a kernel page, which SMAP does not keep the kernel from reading, nor SMEP, where there is no XD, from executing.
 */
export function needsSoftware(
  guest: number,
  mode: ModeRole,
  hardware: ShadowHardware,
  {kind, privilege}: GuestAccess,
): boolean {
  const hasNoExecute = hardware.noExecute === 'on' && hardware.format !== '32-bit';
  return (
    mode.view === 'single' &&
    !mode.writeProtect &&
    (mode.smap || (mode.smep && !hasNoExecute)) &&
    kind === 'write' &&
    privilege === 'supervisor' &&
    (guest & ACC_WRITE) === 0 &&
    (guest & ACC_USER) !== 0
  );
}

/** Why a page is mapped read-only although the guest may write to it; undefined where nothing is held back. */
export function heldBack(guest: number, dirty: boolean, isTable: boolean, isRom: boolean): string | undefined {
  if (isRom) return 'read-only, because the memory slot is';
  if (isTable) return 'read-only, because the page holds a page table of the guest';
  if (!dirty && (guest & ACC_WRITE) !== 0) return 'read-only until the first write, which has to set Dirty';
  return undefined;
}
