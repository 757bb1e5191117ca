import assert from 'node:assert/strict';
import { isHidden } from '../../../env/streets/hidden-files.ts';

describe('hidden files', () => {
  it('are what systems and programs leave behind, whatever the case, and nothing else', () => {
    const left = ['.x', '._a.png', 'Thumbs.db', 'THUMBS.DB', 'Thumbs.db:encryptable', 'ehthumbs.db', 'desktop.ini'];
    left.push(
      '$RECYCLE.BIN',
      'System Volume Information',
      'Icon\r',
      '__MACOSX',
      '~$notes.docx',
      'lost+found',
      '@eaDir',
    );
    for (const name of left) assert.ok(isHidden(name), name);
    for (const name of ['a.png', 'Icon', 'thumbs', '~a.png', 'recycle.png', 'lost', '$a.png'])
      assert.ok(!isHidden(name));
  });
});
