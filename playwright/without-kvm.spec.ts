// No /dev/kvm, no server, a server that goes away: the lab goes on, with a recording that says where it is from.

import {expect, test} from '@playwright/test';
import {LabPage} from './lab-page.js';
import {serveStatic} from './static-server.js';

test('the built page works from any folder of a server that knows nothing of it', async ({page}) => {
  const server = await serveStatic('../packages/visualiser/dist', '/x/y/');
  try {
    const lab = new LabPage(page);
    await page.goto(`${server.address}/x/y/`);
    await lab.ready();
    await lab.nextExit.click();
    await expect(lab.stage.locator('.card')).toContainText('I/O instruction');
    await expect(lab.realKvm).toContainText('recording');
    await lab.realKvm.click();
    const panel = page.locator('hs-real-kvm-view');
    await expect(panel).toContainText('No /dev/kvm here: showing a recording');
    await expect(panel).toContainText('opened without Hyperscope’s server');
    await expect(page.locator('hs-compare-table tbody tr').first()).toBeVisible();
    expect(lab.troubles, 'nothing is asked for that is not there').toEqual([]);
  } finally {
    await server.close();
  }
});

test('without a server the shipped recording is shown, labelled with its host', async ({page}) => {
  await page.route('**/api/**', route => route.abort());
  const lab = new LabPage(page);
  await lab.open();
  await lab.realKvm.click();
  const panel = page.locator('hs-real-kvm-view');
  await expect(panel).toContainText('No /dev/kvm here: showing a recording');
  await expect(panel).toContainText('made on');
  await expect(page.locator('hs-real-kvm-view')).toContainText('KVM_EXIT_IO');
  await page.getByText('How to get the real thing').click();
  await expect(panel).toContainText('npm start');
  await lab.shot('no-kvm');
});

test('when the server is lost after the page was opened, the recording takes over and says why', async ({page}) => {
  await page.route('**/api/kvm', route =>
    route.fulfill({json: {available: true, fingerprint: {flavour: 'kvm_intel', kernel: '6.1'}, queue: 0}}),
  );
  await page.routeWebSocket('**/api/session', socket => socket.close());
  const lab = new LabPage(page);
  await lab.open();
  await expect(lab.realKvm).toContainText('kvm_intel');
  await lab.realKvm.click();
  await expect(page.locator('hs-real-kvm-view')).toContainText('cannot be reached any more');
  await expect(page.locator('hs-compare-table')).toBeVisible();
});

test('when the server is lost in the middle of a run, the recording takes over, and the lab steps on', async ({
  page,
}) => {
  await page.route('**/api/kvm', route =>
    route.fulfill({json: {available: true, fingerprint: {flavour: 'kvm_intel', kernel: '6.1'}, queue: 0}}),
  );
  // It takes the program and is gone.
  let heard = 0;
  await page.routeWebSocket('**/api/session', socket =>
    socket.onMessage(() => {
      heard++;
      setTimeout(() => void socket.close(), 300);
    }),
  );
  const lab = new LabPage(page);
  await lab.open();
  await lab.realKvm.click();
  await expect(page.locator('hs-real-kvm-view')).toContainText('cannot be reached any more');
  await expect(page.locator('hs-compare-table')).toBeVisible();
  expect(heard).toBeGreaterThan(0);
  await page.keyboard.press('e');
  await expect(lab.stage.locator('.card')).toContainText('I/O instruction');
  expect(lab.troubles).toEqual([]);
});

test('a damaged record is refused with a sentence, and the simulation stays', async ({page}) => {
  await page.route('**/api/**', route => route.abort());
  await page.route('**/recordings/**', route =>
    route.fulfill({body: Buffer.from('not a record'), contentType: 'application/octet-stream'}),
  );
  const lab = new LabPage(page);
  await lab.open();
  await lab.realKvm.click();
  await expect(page.locator('hs-real-kvm-view').getByRole('alert')).toBeVisible();
  await lab.nextExit.click();
  await expect.poll(() => lab.step()).toBeGreaterThan(0);
});

test('when the simulator cannot be loaded the page says so and offers a way out', async ({page}) => {
  await page.route('**/simulation.worker*', route => route.abort());
  await page.goto('/');
  await expect(page.getByRole('alert')).toContainText('could not be loaded');
  await expect(page.getByRole('button', {name: 'Reload the page'})).toBeVisible();
});
