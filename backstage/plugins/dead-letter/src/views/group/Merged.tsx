import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Button, Text } from '@backstage/ui';
import { ErrorGroupDetails } from '@dead-letter/backstage-plugin-dead-letter-common';
import { Failed } from '../../components/Failed';
import { Row } from '../../components/Row';
import { Time } from '../../components/Time';
import { useMay } from '../../hooks/useMay';
import { deadLetterTranslationRef } from '../../translation';
import { useChange } from '../squad/useChange';
import { sayReason } from '../squad/useTitle';
import styles from './group.module.css';

interface MergedProps {
  group: ErrorGroupDetails;
  /** The entity whose permissions count. */
  resourceRef: string;
}

/** The groups that were merged into this one, and the way back. */
export function Merged({ group, resourceRef }: MergedProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const mutation = useChange(group);
  const { allowed } = useMay('triage', {
    services: [group.service],
    resourceRef,
  });
  return (
    <>
      <Failed title={t('squad.change.failed')} error={mutation.error} />
      <ul className={styles.merged} aria-label={t('group.merged')}>
        {group.merged.map(each => (
          <li key={each.id}>
            <Row apart>
              <Text>
                {[each.errorType, each.title].filter(Boolean).join(': ') ||
                  (each.reason && sayReason(each.reason)) ||
                  each.id}{' '}
                <Text color="secondary">
                  {t('group.firstSeen')} <Time at={each.firstSeen} ago />
                </Text>
              </Text>
              {allowed && (
                <Button
                  size="small"
                  variant="secondary"
                  isDisabled={mutation.isPending}
                  onPress={() =>
                    mutation.mutate({ action: 'split', groups: [each.id] })
                  }
                >
                  {t('group.merge.split')}
                </Button>
              )}
            </Row>
          </li>
        ))}
      </ul>
    </>
  );
}
