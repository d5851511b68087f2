import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Card, Text } from '@backstage/ui';
import { forwardRef } from 'react';
import { Answered } from '../../components/Answered';
import { useAnswer } from '../../hooks/useDeadLetter';
import { deadLetterTranslationRef } from '../../translation';
import { Loading } from '../squad/Loading';
import { ServicesTable } from '../squad/ServicesTable';
import { useComponentsNamed } from '../squad/catalog';
import styles from './SquadsPage.module.css';
import { UNOWNED } from './squads';

const REFRESH_MS = 15_000;

/** The services that nobody owns, and how to own one. */
export const Unowned = forwardRef<HTMLElement>((_, ref) => {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const answer = useAnswer(
    ['services', UNOWNED],
    (client, signal) => client.services(UNOWNED, signal),
    { every: REFRESH_MS, keep: false },
  );
  const componentOf = useComponentsNamed(
    (answer.data ?? []).map(each => each.service),
  );
  return (
    <section
      ref={ref}
      tabIndex={-1}
      className={styles.section}
      aria-label={t('squads.unowned.title')}
    >
      <Text as="h2" variant="title-x-small">
        {t('squads.unowned.title')}
      </Text>
      <Text as="p" color="secondary" className={styles.hint}>
        {t('squads.unowned.hint')}
      </Text>
      <Card>
        <Answered answer={answer} loading={<Loading rows={2} />}>
          {services => (
            <ServicesTable
              label={t('squads.unowned.table')}
              services={services}
              componentOf={componentOf}
            />
          )}
        </Answered>
      </Card>
    </section>
  );
});
Unowned.displayName = 'Unowned';
