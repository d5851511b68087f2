import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Button, ButtonLink, Skeleton, Text } from '@backstage/ui';
import {
  Distinction,
  Distinctions as Told,
} from '@dead-letter/backstage-plugin-dead-letter-common';
import { useState } from 'react';
import { Answered } from '../../components/Answered';
import { sayShare } from '../../components/share';
import { useAnswer } from '../../hooks/useDeadLetter';
import { useMay } from '../../hooks/useMay';
import { PlaceOf } from '../../hooks/useTabs';
import { deadLetterTranslationRef } from '../../translation';
import { Sampled } from './Sampled';
import { conditionsOfAll, useWords } from './attribute';
import styles from './facets.module.css';

interface DistinctionsProps {
  /** Id of the error group. */
  id: string;
  service: string;
  placeOf: PlaceOf;
}

/** What sets the dead letters of an error group apart. Payloads are read for it, so nothing is asked before somebody wants to know. */
export function Distinctions(props: DistinctionsProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const [isAsked, setAsked] = useState(false);
  if (isAsked) return <Asked {...props} />;
  return (
    <>
      <Text as="p" color="secondary">
        {t('facets.lookDetail', { service: props.service })}
      </Text>
      <Button
        size="small"
        variant="secondary"
        className={styles.look}
        onPress={() => setAsked(true)}
      >
        {t('facets.look')}
      </Button>
    </>
  );
}

function Asked(props: DistinctionsProps) {
  const { id } = props;
  const answer = useAnswer(
    ['distinctions', id],
    (client, signal) => client.distinctions(id, signal),
    { keep: false },
  );
  return (
    <Answered answer={answer} loading={<Skeleton width="100%" height={120} />}>
      {told => <Listed {...props} told={told} />}
    </Answered>
  );
}

type ListedProps = DistinctionsProps & { told: Told };

function Listed({ told, ...props }: ListedProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { permission } = useMay('read-payload');
  const { service } = props;
  const isAlone = told.comparedWith === 'nothing';
  const none = told.tooFew ? t('facets.tooFew') : t('facets.nothingApart');
  return (
    <>
      {isAlone && !told.tooFew && (
        <Text as="p">{t('facets.alone', { service })}</Text>
      )}
      {told.distinctions.length === 0 ? (
        <Text as="p">{none}</Text>
      ) : (
        <ol className={styles.distinctions}>
          {told.distinctions.map((each, place) => (
            <One key={place} {...props} distinction={each} isAlone={isAlone} />
          ))}
        </ol>
      )}
      {!told.payload && (
        <Text as="p" color="secondary">
          {t('facets.hidden', { permission })}
        </Text>
      )}
      {told.unreadBodies > 0 && (
        <Text as="p" color="secondary">
          {t('facets.unread', { count: told.unreadBodies })}
        </Text>
      )}
      <Sampled sample={told.inside} />
    </>
  );
}

type OneProps = DistinctionsProps & {
  distinction: Distinction;
  isAlone: boolean;
};

function One({ id, service, placeOf, distinction, isAlone }: OneProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { sayCondition } = useWords();
  const { conditions, together, inside, outside } = distinction;
  const said = conditions
    .map<string>(sayCondition)
    .reduce((one, other) => t('facets.and', { one, other }));
  const filter = conditionsOfAll(conditions);
  const place = filter && placeOf(service, { errorGroup: id, ...filter });
  return (
    <li>
      <div className={styles.distinction}>
        <Text weight="bold" className={styles.text}>
          {said}
        </Text>
        <Text color="secondary">
          {isAlone
            ? t('facets.common', { inside: sayShare(inside.share) })
            : t('facets.shares', {
                inside: sayShare(inside.share),
                outside: sayShare(outside.share),
              })}
        </Text>
        {place && (
          <ButtonLink size="small" variant="tertiary" href={place.path}>
            {t('facets.showThese')}
          </ButtonLink>
        )}
      </div>
      {together.length > 0 && (
        <Text as="p" variant="body-small" color="secondary">
          {t('facets.together', {
            conditions: together.map(sayCondition).join('; '),
          })}
        </Text>
      )}
    </li>
  );
}
