// Asks the browser to keep the lab for when there is no network, once the lab stands: what is kept must not delay what is looked at.
// Where it cannot (no secure address, a private window, an old browser), the lab works as long as the page is open.

/** Whether this page may have a service worker at all. */
export function canBeKept(): boolean {
  return 'serviceWorker' in navigator && isSecureContext;
}

/** Resolves when the lab has opened its first guest, or has said why it cannot. */
async function whenOpened(lab: Element): Promise<void> {
  return new Promise(resolve => {
    let wasBusy = lab.ariaBusy === 'true';
    const watcher = new MutationObserver(() => {
      if (lab.ariaBusy === 'true') wasBusy = true;
      else if (wasBusy) {
        watcher.disconnect();
        resolve();
      }
    });
    watcher.observe(lab, {attributeFilter: ['aria-busy']});
  });
}

/** Resolves when the page has nothing to do, or after some seconds; where browsers do not tell, at once. */
export async function whenIdle(): Promise<void> {
  return new Promise(resolve => {
    if ('requestIdleCallback' in globalThis) requestIdleCallback(() => resolve(), {timeout: 5000});
    else resolve();
  });
}

/** Installs the service worker beside the page when the first moment of `lab` is on the screen. */
export async function keepForOffline(lab: Element | null): Promise<void> {
  if (!canBeKept() || lab === null) return;
  await whenOpened(lab);
  await whenIdle();
  // A browser that refuses keeps nothing, and the help says so.
  await navigator.serviceWorker.register(new URL('./service-worker.js', document.baseURI)).catch(() => undefined);
}
