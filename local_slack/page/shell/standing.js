/** Whether one can write where one is. */

/** Why there is nothing to type into, as a sentence; null when there is no reason. */
export function whyClosed(channel, me) {
  if (me?.deleted) return "This account is deactivated: it can do nothing any more.";
  if (channel?.is_archived) return `#${channel.name} is archived: it can only be read.`;
  if (channel && !channel.is_member)
    return `You are not in #${channel.name}: you see nothing of it, and cannot write to it.`;
  return null;
}
