import { createHash, timingSafeEqual } from 'node:crypto';

/** Agents open sessions, observers look on, admins close other people's sessions and drain the server. */
export type Role = 'agent' | 'observer' | 'admin';

export type Tokens = { readonly [R in Role]?: string | undefined };

/** Compares hashes, which have equal lengths, in a time that tells nothing. */
function isSameToken(expected: string, given: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(expected), hash(given));
}

/**
 * What the bearer of a token may be. A server without any token lets everybody be everything (it listens to its own
 * machine alone then). An agent may look on unless there is a token for observers; an admin may do everything.
 */
export function rolesOf(tokens: Tokens, given: string | undefined): ReadonlySet<Role> {
  const { agent, observer, admin } = tokens;
  if (agent === undefined && observer === undefined && admin === undefined) {
    return new Set(['agent', 'observer', 'admin']);
  }
  const is = (expected: string | undefined) =>
    expected !== undefined && given !== undefined && isSameToken(expected, given);
  if (is(admin)) return new Set(['agent', 'observer', 'admin']);
  const roles = new Set<Role>();
  if (is(agent)) roles.add('agent');
  if (is(observer) || (observer === undefined && is(agent))) roles.add('observer');
  return roles;
}
