package rgoipc

import "testing"

func TestQuestionsOverLane(t *testing.T) { testQuestions(t, newLanePeer) }
