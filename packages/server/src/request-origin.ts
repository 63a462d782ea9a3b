// Whether a request comes from our own page. Another site that is open in the same browser must not start guests,
// neither directly (its Origin is not ours) nor through a name it points at this machine (DNS rebinding: its Host is a name).

import {isIP} from 'node:net';

/** Why a request is refused: a sentence; undefined when it is ours. */
export function refuseOrigin(headers: {
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly fetchSite: string | undefined;
  /** Host names, beside `localhost` and plain addresses, by which this server may be called. */
  readonly names: readonly string[];
}): string | undefined {
  const {host, origin, fetchSite, names} = headers;
  if (host === undefined || host === '') return 'The request has no Host header.';
  const name = hostName(host);
  if (isIP(name) === 0 && name !== 'localhost' && !name.endsWith('.localhost') && !names.includes(name)) {
    return `This server is not called ${name}. Open it by its address, or start it with --host ${name}.`;
  }
  if (fetchSite !== undefined && fetchSite !== 'same-origin' && fetchSite !== 'none') {
    return 'Another site may not use this server.';
  }
  if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`) {
    return `Another site (${origin}) may not use this server.`;
  }
  return undefined;
}

/** The name in a Host header, without its port and without the brackets of an IPv6 address. */
function hostName(host: string): string {
  const bracketed = /^\[([^\]]+)\]/.exec(host)?.[1];
  return (bracketed ?? host.replace(/:\d+$/, '')).toLowerCase();
}
