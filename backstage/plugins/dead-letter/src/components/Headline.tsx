import { Flex, Skeleton, Text } from '@backstage/ui';
import { EnvironmentSelect } from './EnvironmentSelect';
import styles from './Headline.module.css';

interface HeadlineProps {
  /** Not known yet where it is undefined. */
  number: number | undefined;
  /** What it counts. */
  unit: string;
  /** Of what. */
  scope: string;
}

/** The one number that matters, and the environment that it is about. */
export function Headline({ number, unit, scope }: HeadlineProps) {
  return (
    <Flex justify="between" align="end" className={styles.headline}>
      {number === undefined ? (
        <Skeleton width={280} height={48} />
      ) : (
        <h2>
          <Text as="span" variant="title-large" weight="bold">
            {number.toLocaleString()}
          </Text>{' '}
          <Text as="span" variant="body-large">
            {unit}
          </Text>{' '}
          <Text as="span" variant="body-large" color="secondary">
            {scope}
          </Text>
        </h2>
      )}
      <div className={styles.environment}>
        <EnvironmentSelect />
      </div>
    </Flex>
  );
}
