import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Badge } from '@backstage/ui';
import { DeadLetteredMessage } from '@dead-letter/backstage-plugin-dead-letter-common';
import { RiArrowGoBackLine } from '@remixicon/react';
import { deadLetterTranslationRef } from '../translation';

/** Marks a message that died again after a redelivery from here, and says how often it was redelivered. */
export function DiedAgain({ message }: { message: DeadLetteredMessage }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { redeliveries, redeliveryId } = message;
  const count = Math.max(redeliveries, redeliveryId ? 1 : 0);
  if (count === 0) return null;
  return (
    <Badge size="small" icon={<RiArrowGoBackLine size={12} aria-hidden />}>
      {t('service.diedAgain', { count })}
    </Badge>
  );
}
