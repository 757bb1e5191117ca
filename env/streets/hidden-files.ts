/** Files that systems and programs leave in people's folders, and no person put there. */

const LEFT_BEHIND = ['thumbs.db', 'desktop.ini', '@eadir', '__macosx'];

/** @param name of a file or folder, without where it lies */
export function isHidden(name: string): boolean {
  return name.startsWith('.') || LEFT_BEHIND.includes(name.toLowerCase());
}
