import {expect, test} from 'vitest';
import {measuredModel, readMeasurements} from './measured-model.js';

const machine = {name: 'kvm', outerHypervisor: false};

test('a slow machine gets a longer round trip, and costs in the simulation what it costs there', () => {
  const {fitted, costModel} = measuredModel({...machine, cpuid: 5520, portRead: 30_000});
  expect(Math.abs(fitted.cpuid / 5520 - 1)).toBeLessThan(0.01);
  expect(Math.abs(fitted.portRead / 30_000 - 1)).toBeLessThan(0.01);
  expect(costModel).toMatch(/^sandy-bridge-2011,vm-exit=\d+,exception-exit=\d+,vm-entry=\d+,user-step=\d+$/);
});

test('a fast one keeps the published round trip, and its KVM is cheaper', () => {
  const {fitted, costModel} = measuredModel({...machine, cpuid: 1300, portRead: 4000});
  expect(Math.abs(fitted.cpuid / 1300 - 1)).toBeLessThan(0.02);
  expect(costModel).toContain('host-step=');
});

test('measurements are read from what measure wrote, and anything else is refused in words', () => {
  const operations = [
    {id: 'cpuid', cycles: 5000},
    {id: 'pio-read-user', cycles: 9000},
  ];
  const host = {flavour: 'kvm_intel', kernel: '6.1'};
  const text = (changed: object): string => JSON.stringify({host, operations, outerHypervisor: true, ...changed});
  expect(readMeasurements(text({}))).toEqual({
    name: 'kvm_intel on Linux 6.1',
    cpuid: 5000,
    portRead: 9000,
    outerHypervisor: true,
  });
  expect(() => readMeasurements(text({operations: operations.slice(1)}))).toThrow(/no figure for cpuid/);
  for (const wrong of ['tea', '[]', text({host: 3})])
    expect(() => readMeasurements(wrong)).toThrow(/These are no measurements/);
});
