import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Link, Text } from '@backstage/ui';
import { ErrorGroup } from '@dead-letter/backstage-plugin-dead-letter-common';
import { deadLetterTranslationRef } from '../../translation';

/** Who is on a group, and its ticket. Nothing where nobody said so. */
export function Care({ group }: { group: ErrorGroup }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  return (
    <>
      {group.assignee && (
        <Text variant="body-small">
          {t('squad.groups.assignedTo', { who: group.assignee })}
        </Text>
      )}
      <TicketLink group={group} />
    </>
  );
}

/** The way to its ticket. The service takes addresses with http and https only; what another one says is no link. */
export function TicketLink({ group: { ticket } }: { group: ErrorGroup }) {
  if (!ticket) return null;
  const name = ticket.key ?? ticket.url;
  if (!/^https?:\/\//i.test(ticket.url)) {
    return <Text variant="body-small">{name}</Text>;
  }
  return (
    <Link
      href={ticket.url}
      variant="body-small"
      target="_blank"
      rel="noopener noreferrer"
    >
      {name}
    </Link>
  );
}
