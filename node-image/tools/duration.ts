/** A time left, as ndp and netstat write it: `23h59m58s`. KAME: sec2str. */
export function duration(milliseconds: number): string {
  const total = Math.max(0, Math.floor(milliseconds / 1000));
  const days = Math.floor(total / 86_400);
  const hours = Math.floor(total / 3600) % 24;
  const minutes = Math.floor(total / 60) % 60;
  let text = '';
  if (days > 0) text += `${days}d`;
  if (days > 0 || hours > 0) text += `${hours}h`;
  if (days > 0 || hours > 0 || minutes > 0) text += `${minutes}m`;
  return `${text}${total % 60}s`;
}
