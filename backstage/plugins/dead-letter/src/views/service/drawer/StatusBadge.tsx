import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Badge } from '@backstage/ui';
import {
  RiArrowGoForwardLine,
  RiDeleteBinLine,
  RiSkull2Line,
} from '@remixicon/react';
import { deadLetterTranslationRef } from '../../../translation';
import styles from './drawer.module.css';

const ICONS = {
  dead: <RiSkull2Line size={12} aria-hidden />,
  redelivered: <RiArrowGoForwardLine size={12} aria-hidden />,
  deleted: <RiDeleteBinLine size={12} aria-hidden />,
};

/** What has become of it; a status that is not known yet is shown as it is. */
export function StatusBadge({ status }: { status: string }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const known = status in ICONS ? (status as keyof typeof ICONS) : undefined;
  return (
    <Badge
      size="small"
      className={styles.badge}
      data-status={status}
      icon={known && ICONS[known]}
    >
      {known ? t(`message.status.${known}`) : status}
    </Badge>
  );
}
