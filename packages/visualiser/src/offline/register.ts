// Asks the browser to keep the lab for when there is no network. Where it cannot (no secure address, a private window, an old
// browser), the lab works as long as the page is open, and nobody is told: nothing they did is wrong.

/** Installs the service worker beside the page, once the page has what it needs itself. */
export function keepForOffline(): void {
  if (!('serviceWorker' in navigator) || !isSecureContext) return;
  addEventListener(
    'load',
    () => {
      navigator.serviceWorker.register(new URL('./service-worker.js', document.baseURI)).catch(() => undefined);
    },
    {once: true},
  );
}
