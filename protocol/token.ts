/** A word that can be a token (rule H4): it goes into an HTTP header, and into `hello.auth`. */
const TOKEN = /^[\x21-\x7e]([\x20-\x7e]{0,1022}[\x21-\x7e])?$/;

/**
 * Refuses a token that no client could show, above all an empty one, which everybody can.
 *
 * @param place where the token comes from, for the error, which does not show the token
 * @throws {RangeError}
 */
export function checkToken(place: string, token: string): void {
  if (TOKEN.test(token)) return;
  const got = token.trim() === '' ? 'an empty one' : 'another';
  throw new RangeError(`${place}: expected 1 to 1024 printable ASCII characters, no space at either end, got ${got}`);
}
