// mini-os with QEMU's own interrupt controllers: every tick and every end of interrupt goes to user space, and the guest
// cannot tell.

import {expect, test} from 'vitest';
import {NO_PORTS} from './session/session.js';
import {loadGuest, requireGuest, requireTechnique} from './shipped.js';

const STEPS = 1_000_000;

test(
  'mini-os prints the same with the interrupt controllers in QEMU, which KVM then must ask',
  {timeout: 120_000},
  () => {
    const guest = requireGuest('mini-os');
    const {image} = loadGuest(guest);
    const run = requireTechnique('vtx-ept').start({
      image: {...image, irqchip: undefined},
      ports: NO_PORTS,
      profile: undefined,
      costModel: undefined,
    });
    const ioctls = new Set<string>();
    run.observe({
      willWrite: () => undefined,
      event: () => undefined,
      hypervisorEvent: event => void (event.kind === 'ioctl' && ioctls.add(event.name)),
    });
    let outcome: string | undefined;
    for (let step = 0; step < STEPS && outcome === undefined; step++) outcome = run.step().outcome?.kind;
    expect([outcome, new TextDecoder().decode(run.serialOutput())]).toEqual(['power-off', guest.expectedSerial]);
    expect([...ioctls]).toContain('KVM_INTERRUPT');
    expect([...ioctls]).not.toContain('KVM_IRQ_LINE');
  },
);
