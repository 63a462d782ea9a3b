import {expect, test} from 'vitest';
import {PortMap} from './port-map.js';
import {TestDevice} from './test-device.js';

function bench(): {ports: PortMap; device: TestDevice; lines: string[]} {
  const device = new TestDevice();
  const lines: string[] = [];
  device.onLine = (irq, level) => lines.push(`${irq}=${level}`);
  const ports = new PortMap();
  ports.attach(device);
  return {ports, device, lines};
}

test('the register is read back in accesses of any width, and byte by byte at e8 and ec', () => {
  const {ports} = bench();
  ports.write(0xe0, 4, 0x1234_5678);
  ports.write(0xe1, 1, 0xab);
  expect([ports.read(0xe0, 4), ports.read(0xe2, 2), ports.read(0xe8, 4), ports.read(0xed, 1)]).toEqual([
    0x1234_ab78, 0x1234, 0x1234_ab78, 0xab,
  ]);
});

test('a byte at 2000h plus n drives line n', () => {
  const {ports, lines} = bench();
  ports.write(0x2004, 1, 1);
  ports.write(0x2017, 1, 0);
  expect(lines).toEqual(['4=1', '23=0']);
});

test('flushing a page changes nothing that a guest sees', () => {
  const {ports, device} = bench();
  const before = device.bank.bytes.slice();
  ports.write(0xe4, 4, 0x7_f000);
  expect(device.bank.bytes).toEqual(before);
});

test('its memory keeps what is written, across its end too', () => {
  const {device} = bench();
  device.writeMemory(8, 8, 0x1122_3344_5566_7788n);
  device.writeMemory(0xfffe, 4, 0xddcc_bbaan);
  expect([device.readMemory(8, 8), device.readMemory(10, 2), device.readMemory(0xfffe, 4)]).toEqual([
    0x1122_3344_5566_7788n,
    0x5566n,
    0xffff_bbaan,
  ]);
});
