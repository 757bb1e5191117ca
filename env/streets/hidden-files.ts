/** Files that systems and programs leave in people's folders, and no person put there. */

/** In lower case. */
const LEFT_BEHIND = [
  ...['thumbs.db', 'thumbs.db:encryptable', 'ehthumbs.db', 'ehthumbs_vista.db', 'desktop.ini'], // Windows
  ...['$recycle.bin', 'recycler', 'system volume information'],
  ...['icon\r', '__macosx', 'network trash folder', 'temporary items'], // macOS
  ...['lost+found', '@eadir', '#recycle', '@recycle'], // Linux, and network drives
];

/** @param name of a file or folder, without where it lies */
export function isHidden(name: string): boolean {
  return /^(\.|~\$)/.test(name) || LEFT_BEHIND.includes(name.toLowerCase());
}
