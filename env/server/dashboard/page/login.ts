import { h, newId } from './dom.ts';

/** Asks for the token of a server. @param error what was wrong with the last one */
export function loginForm(why: string, error: string | undefined, onToken: (token: string) => void): HTMLElement {
  const [field, note] = [newId(), newId()];
  const input = h('input', {
    ...{ id: field, type: 'password', autocomplete: 'off', required: true, maxlength: 1024, spellcheck: 'false' },
    ...{ 'aria-describedby': note, 'aria-invalid': error === undefined ? undefined : 'true' },
  });
  const form = h(
    'form',
    {
      class: 'login card',
      submit: (event) => {
        event.preventDefault();
        onToken(input.value);
      },
    },
    h('h1', {}, 'Learning to Simulate'),
    h('p', {}, error === undefined ? why : 'This server asks for a token.'),
    h('label', { for: field }, 'Token'),
    input,
    h('p', { id: note, class: 'note' }, 'It is kept in this tab until you close it, and sent to this server alone.'),
    error !== undefined && h('p', { class: 'trouble', role: 'alert' }, error),
    h('button', { type: 'submit', class: 'primary' }, 'Watch'),
  );
  queueMicrotask(() => input.focus());
  return h('main', { class: 'alone' }, form);
}
